package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

//go:embed packages.py
var listInstalledScript string

// pluginless are packages that carry Pulumi's name but, in some releases, no word that they have no plugin.
var pluginless = map[string]bool{"pulumi": true, "pulumi-policy": true, "pulumi-esc-sdk": true}

// installedPackage is one distribution in a Python environment.
type installedPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Required says that another installed distribution depends on this one.
	Required bool `json:"required"`
	// Plugin is the package's pulumi-plugin.json; nil for one that has none.
	Plugin *plugin.PulumiPluginJSON `json:"plugin"`
}

// listInstalled asks the interpreter itself, since an environment need not have pip in it.
func (h *languageHost) listInstalled(
	request context.Context, info *pulumirpc.ProgramInfo,
) ([]installedPackage, error) {
	python, err := resolvePython(info, programPython)
	if err != nil {
		return nil, err
	}
	ctx, release := h.scope(request)
	defer release()
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	cmd, err := python.Command(ctx, "-c", listInstalledScript)
	if err != nil {
		return nil, err
	}
	output, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("cannot list the packages of the Python environment: %w", err)
	}
	var installed []installedPackage
	if err := json.Unmarshal(output, &installed); err != nil {
		return nil, fmt.Errorf("cannot read the list of packages of the Python environment: %w", err)
	}
	return installed, nil
}

func (h *languageHost) GetRequiredPackages(
	ctx context.Context, req *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	installed, err := h.listInstalled(ctx, req.GetInfo())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPackagesResponse{}
	for _, candidate := range installed {
		if dependency := candidate.pluginDependency(); dependency != nil {
			response.Packages = append(response.Packages, dependency)
		}
	}
	return response, nil
}

func (h *languageHost) GetRequiredPlugins(
	ctx context.Context, req *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	packages, err := h.GetRequiredPackages(ctx, &pulumirpc.GetRequiredPackagesRequest{Info: req.GetInfo()})
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetRequiredPluginsResponse{}
	for _, dependency := range packages.GetPackages() {
		response.Plugins = append(response.Plugins, &pulumirpc.PluginDependency{
			Name: dependency.GetName(), Kind: dependency.GetKind(),
			Version: dependency.GetVersion(), Server: dependency.GetServer(),
		})
	}
	return response, nil
}

func (h *languageHost) GetProgramDependencies(
	ctx context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	installed, err := h.listInstalled(ctx, req.GetInfo())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, one := range installed {
		if req.GetTransitiveDependencies() || !one.Required {
			response.Dependencies = append(response.Dependencies,
				&pulumirpc.DependencyInfo{Name: one.Name, Version: one.Version})
		}
	}
	return response, nil
}

// pluginDependency is the resource plugin that the package is the SDK of; nil for a package without one, and for a
// release whose plugin's version does not follow from the package's.
func (p installedPackage) pluginDependency() *pulumirpc.PackageDependency {
	metadata := p.Plugin
	if metadata == nil {
		if pluginless[p.Name] || !strings.HasPrefix(p.Name, "pulumi-") {
			return nil
		}
		metadata = &plugin.PulumiPluginJSON{Resource: true}
	}
	if !metadata.Resource {
		return nil
	}
	name, version := metadata.Name, strings.TrimPrefix(metadata.Version, "v")
	if name == "" {
		name = strings.TrimPrefix(p.Name, "pulumi-")
	}
	if version == "" {
		version = semanticVersion(p.Version)
	}
	if version == "" {
		return nil
	}
	return &pulumirpc.PackageDependency{
		Name: name, Kind: "resource", Version: "v" + version, Server: metadata.Server,
		Parameterization: parameterization(metadata.Parameterization),
		Extension:        parameterization(metadata.ExtensionParameterization),
	}
}

func parameterization(from *plugin.PulumiParameterizationJSON) *pulumirpc.PackageParameterization {
	if from == nil {
		return nil
	}
	return &pulumirpc.PackageParameterization{Name: from.Name, Version: from.Version, Value: from.Value}
}

var (
	pythonVersion = regexp.MustCompile(`^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(a|b|rc)(\d+))?$`)
	preReleases   = map[string]string{"a": "alpha", "b": "beta", "rc": "rc"}
)

// semanticVersion turns a Python version (PEP 440) into the semantic version it was made from; "" for forms that
// Pulumi's packages do not use.
func semanticVersion(version string) string {
	parts := pythonVersion.FindStringSubmatch(version)
	if parts == nil {
		return ""
	}
	for i := 1; i <= 3; i++ {
		if parts[i] == "" {
			parts[i] = "0"
		}
	}
	release := strings.Join(parts[1:4], ".")
	if parts[4] == "" {
		return release
	}
	return release + "-" + preReleases[parts[4]] + "." + parts[5]
}
