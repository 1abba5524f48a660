package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// RunPlugin runs a plugin (a component provider, a policy pack, …) until the engine has done with it.
func (h *languageHost) RunPlugin(
	req *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if req.GetAttachDebugger() {
		return errNoDebugger
	}
	ctx, release := h.scope(server.Context())
	defer release()
	out := newStreams(func(stdout, stderr []byte) error {
		if stdout != nil {
			return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: stdout}})
		}
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: stderr}})
	})
	err := h.runPlugin(ctx, req, out)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := int32(exit.ExitCode())
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: code}})
	}
	return err
}

func (h *languageHost) runPlugin(ctx context.Context, req *pulumirpc.RunPluginRequest, out *streams) error {
	isPack := req.GetKind() == string(apitype.AnalyzerPlugin)
	why := pluginPython
	if isPack {
		why = packPython
	}
	python, err := resolvePython(req.GetInfo(), why)
	if err != nil {
		return err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return err
	}
	virtualenv, err := python.VirtualEnvPath(ctx)
	if err != nil {
		return err
	}
	environment := python.environment(req.GetEnv(), virtualenv)
	if isPack {
		return h.runPolicyPack(ctx, python, req, environment, out)
	}
	cmd, err := pluginCommand(ctx, python, req)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = req.GetPwd(), environment, out.stdout, out.stderr
	return h.run(cmd, syscall.SIGTERM, cmd.Wait)
}

// pluginCommand runs the folder's __main__.py or, where there is none, the package that the folder holds.
func pluginCommand(
	ctx context.Context, python *interpreter, req *pulumirpc.RunPluginRequest,
) (*exec.Cmd, error) {
	folder := req.GetInfo().GetProgramDirectory()
	_, err := os.Stat(filepath.Join(folder, "__main__.py"))
	if err == nil {
		return python.Command(ctx, append([]string{folder}, req.GetArgs()...)...)
	}
	if !os.IsNotExist(err) {
		return nil, err
	}
	buildable, err := toolchain.IsBuildablePackage(folder)
	if err != nil {
		return nil, err
	}
	if !buildable {
		return nil, fmt.Errorf("the plugin in %s cannot be run: it has neither a __main__.py nor a pyproject.toml "+
			"with a build system", folder)
	}
	project, err := toolchain.LoadPyproject(folder)
	if err != nil {
		return nil, err
	}
	return python.ModuleCommand(ctx, "pulumi.run.plugin", append([]string{project.Project.Name}, req.GetArgs()...)...)
}

// runPolicyPack starts a pack once the stack's name and configuration are known, which packs read from their
// environment. The engine sends them to the pack's own server; Pulumi's PolicyProxy stands there until then and
// passes everything on afterwards.
func (h *languageHost) runPolicyPack(
	ctx context.Context, python *interpreter, req *pulumirpc.RunPluginRequest, environment []string, out *streams,
) error {
	proxy, stdout, err := sdk.NewPolicyProxy(ctx, out.stdout)
	if err != nil {
		return fmt.Errorf("cannot stand in for the policy pack until it runs: %w", err)
	}
	configuration, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return fmt.Errorf("the engine sent no stack configuration for the policy pack: %w", err)
	}
	folder := req.GetInfo().GetProgramDirectory()
	arguments := append([]string{"-u", "-m", "pulumi.policy"}, req.GetArgs()...)
	cmd, err := python.Command(ctx, append(arguments, folder)...)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, io.Writer(stdout), out.stderr
	cmd.Env, err = withStack(environment, configuration)
	if err != nil {
		return err
	}
	return h.run(cmd, syscall.SIGTERM, func() error { return proxy.Attach(ctx, cmd) })
}

// withStack adds what a pack may ask about the stack; nothing when it runs outside of one (`policy publish`).
func withStack(
	environment []string, stack *pulumirpc.AnalyzerStackConfigureRequest,
) ([]string, error) {
	if stack == nil {
		return environment, nil
	}
	config, err := configJSON(stack.GetConfig())
	if err != nil {
		return nil, err
	}
	for _, variable := range []struct{ name, value string }{
		{"PULUMI_ORGANIZATION", stack.GetOrganization()},
		{"PULUMI_PROJECT", stack.GetProject()},
		{"PULUMI_STACK", stack.GetStack()},
		{"PULUMI_DRY_RUN", strconv.FormatBool(stack.GetDryRun())},
		{"PULUMI_CONFIG", config},
	} {
		if variable.value != "" {
			environment = append(environment, variable.name+"="+variable.value)
		}
	}
	return environment, nil
}
