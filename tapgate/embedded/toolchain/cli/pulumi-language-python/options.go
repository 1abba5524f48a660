package main

import (
	"fmt"
	"os"
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// purpose says what an interpreter is wanted for; it decides what an absent `virtualenv` option means.
type purpose int

const (
	// programPython runs programs: without the option, the ambient interpreter.
	programPython purpose = iota
	// packPython runs policy packs, likewise.
	packPython
	// pluginPython runs plugins: without the option, `venv` in the plugin's folder where that exists (it is what
	// `pulumi install` makes), else the ambient interpreter.
	pluginPython
	// installedPluginPython is what `pulumi install` sets up for a plugin: without the option, `venv`.
	installedPluginPython
)

const (
	defaultPluginVenv = "venv"
	// programEnvironment is the variable that names the virtual environment of programs, in place of the one that
	// their project file asks for: `tapgate preview --install` makes it outside of the project.
	programEnvironment = "TAPGATE_PROGRAM_ENVIRONMENT"
)

// interpreter is a resolved toolchain with the options it was resolved from.
type interpreter struct {
	toolchain.Toolchain
	options toolchain.PythonOptions
}

func resolvePython(info *pulumirpc.ProgramInfo, why purpose) (*interpreter, error) {
	options, err := readOptions(info, why)
	if err != nil {
		return nil, err
	}
	resolved, err := toolchain.ResolveToolchain(options)
	if err != nil {
		return nil, err
	}
	return &interpreter{Toolchain: resolved, options: options}, nil
}

func readOptions(info *pulumirpc.ProgramInfo, why purpose) (toolchain.PythonOptions, error) {
	options := toolchain.PythonOptions{Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory()}
	given := info.GetOptions().AsMap()
	virtualenv, err := stringOption(given, "virtualenv")
	if err != nil {
		return options, err
	}
	options.Virtualenv = virtualenv
	if options.Toolchain, err = choose(given, "toolchain", options.Toolchain, toolchainNames); err != nil {
		return options, err
	}
	if options.Typechecker, err = choose(given, "typechecker", options.Typechecker, typecheckerNames); err != nil {
		return options, err
	}
	if made := os.Getenv(programEnvironment); made != "" && why == programPython {
		options.Toolchain, options.Virtualenv = toolchain.Pip, made
		return options, nil
	}
	managed := options.Toolchain == toolchain.Uv || options.Toolchain == toolchain.Poetry
	if options.Virtualenv == "" && !managed {
		options.Virtualenv = impliedVirtualenv(options.Root, why)
	}
	return options, nil
}

func impliedVirtualenv(root string, why purpose) string {
	switch {
	case why == installedPluginPython:
		return defaultPluginVenv
	case why == pluginPython && toolchain.IsVirtualEnv(filepath.Join(root, defaultPluginVenv)):
		return defaultPluginVenv
	default:
		return ""
	}
}

// The types of these values have no exported names, so the tables are built from the exported constants.
var (
	toolchainNames = named(
		[]string{"pip", "poetry", "uv"}, toolchain.Pip, toolchain.Poetry, toolchain.Uv)
	typecheckerNames = named(
		[]string{"mypy", "pyright"}, toolchain.TypeCheckerMypy, toolchain.TypeCheckerPyright)
)

func named[T any](names []string, values ...T) map[string]T {
	table := make(map[string]T, len(names))
	for i, name := range names {
		table[name] = values[i]
	}
	return table
}

func choose[T any](given map[string]any, key string, absent T, table map[string]T) (T, error) {
	name, err := stringOption(given, key)
	if err != nil || name == "" {
		return absent, err
	}
	value, known := table[name]
	if !known {
		return absent, fmt.Errorf("the runtime option %q is set to %q, which this Python language host does not know", key, name)
	}
	return value, nil
}

func stringOption(given map[string]any, key string) (string, error) {
	value, present := given[key]
	if !present {
		return "", nil
	}
	text, isString := value.(string)
	if !isString {
		return "", fmt.Errorf("the runtime option %q must be a string, not %v", key, value)
	}
	return text, nil
}

// environment is what a Python process of this toolchain gets: `base` (this process's own when empty) with the
// toolchain's virtual environment, where it has one, activated.
func (p *interpreter) environment(base []string, virtualenv string) []string {
	if len(base) == 0 {
		base = os.Environ()
	}
	if virtualenv == "" {
		return base
	}
	return toolchain.ActivateVirtualEnv(base, virtualenv)
}
