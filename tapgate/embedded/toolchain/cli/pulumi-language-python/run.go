package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// exitMessageShown is the executor's exit code for "failed, and the user has already been told why".
const exitMessageShown = 32

var errNoDebugger = errors.New(
	"attaching a debugger is not supported by this Python language host; install the official Pulumi CLI for it")

// Run executes a program through Pulumi's executor script and returns when the program has ended.
func (h *languageHost) Run(request context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if req.GetAttachDebugger() {
		return nil, errNoDebugger
	}
	python, err := resolvePython(req.GetInfo(), programPython)
	if err != nil {
		return nil, err
	}
	ctx, release := h.programScope(request)
	defer release()
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	virtualenv, err := python.VirtualEnvPath(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.typecheck(ctx, python, req.GetInfo().GetProgramDirectory(), virtualenv); err != nil {
		return nil, err
	}
	cmd, err := python.Command(ctx, append([]string{"-c", launch, h.executor}, h.executorArguments(req)...)...)
	if err != nil {
		return nil, err
	}
	cmd.Env, err = withConfig(python.environment(nil, virtualenv), req)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = h.run(cmd, syscall.SIGINT, cmd.Wait)
	return runResponse(err), nil
}

// launch starts the executor with garbage looked for seldom, and not at the end: while an SDK of thousands of
// classes is imported, that is a third of the time.
const launch = "import atexit, gc, os, runpy, sys; gc.set_threshold(100_000); atexit.register(gc.freeze); " +
	"del sys.argv[0]; sys.path[0] = os.path.dirname(sys.argv[0]); runpy.run_path(sys.argv[0], run_name='__main__')"

func runResponse(err error) *pulumirpc.RunResponse {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case errors.As(err, &exit) && exit.ExitCode() == exitMessageShown:
		return &pulumirpc.RunResponse{Bail: true}
	case errors.As(err, &exit) && exit.Exited():
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with exit code %d", exit.ExitCode())}
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program could not be run: %v", err)}
	}
}

func (h *languageHost) executorArguments(req *pulumirpc.RunRequest) []string {
	var arguments []string
	for _, option := range []struct{ name, value string }{
		{"monitor", req.GetMonitorAddress()},
		{"engine", h.engineAddress},
		{"project", req.GetProject()},
		{"root_directory", req.GetInfo().GetRootDirectory()},
		{"stack", req.GetStack()},
		{"pwd", req.GetPwd()},
		{"dry_run", strconv.FormatBool(req.GetDryRun())},
		{"parallel", strconv.Itoa(int(req.GetParallel()))},
		{"tracing", h.tracing},
		{"organization", req.GetOrganization()},
	} {
		if option.value != "" {
			arguments = append(arguments, "--"+option.name, option.value)
		}
	}
	return append(append(arguments, req.GetInfo().GetEntryPoint()), req.GetArgs()...)
}

// withConfig adds the stack's configuration, as the Python SDK reads it.
func withConfig(environment []string, req *pulumirpc.RunRequest) ([]string, error) {
	config, err := configJSON(req.GetConfig())
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(append([]string{}, req.GetConfigSecretKeys()...))
	if err != nil {
		return nil, err
	}
	return append(environment, "PULUMI_CONFIG="+config, "PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys)), nil
}

// configJSON is a stack's configuration as the Python SDK reads it: an object even where there is none.
func configJSON(config map[string]string) (string, error) {
	if config == nil {
		config = map[string]string{}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("cannot hand over the stack's configuration: %w", err)
	}
	return string(text), nil
}

// typecheck runs the type checker that the project asks for; a program that fails it is not run.
func (h *languageHost) typecheck(ctx context.Context, python *interpreter, folder, virtualenv string) error {
	var name string
	var arguments []string
	switch python.options.Typechecker {
	case toolchain.TypeCheckerMypy:
		name = "mypy"
		if inside, err := filepath.Rel(folder, virtualenv); err == nil && virtualenv != "" {
			arguments = append(arguments, "--exclude", inside)
		}
	case toolchain.TypeCheckerPyright:
		name = "pyright"
	default:
		return nil
	}
	cmd, err := python.ModuleCommand(ctx, name, append(arguments, folder)...)
	if err != nil {
		return err
	}
	var output bytes.Buffer
	both := io.MultiWriter(os.Stdout, &output)
	cmd.Stdout, cmd.Stderr, cmd.Dir = both, both, folder
	cmd.Env = python.environment(nil, virtualenv)
	if err := h.run(cmd, syscall.SIGTERM, cmd.Wait); err != nil {
		return fmt.Errorf(
			"the runtime option `typechecker` is set to %s, which did not pass (%w); "+
				"repair the program, or install %s into its environment if it is missing\n%s", name, err, name, output.String())
	}
	return nil
}
