package main

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/protobuf/types/known/emptypb"
)

// languageHost serves pulumirpc.LanguageRuntime. Code generation (GenerateProgram, GeneratePackage, Pack, Link, …)
// stays unimplemented: it needs an official installation and no preview or update asks for it.
type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	children

	engineAddress string
	executor      string
	tracing       string
}

func newLanguageHost(ctx context.Context, engineAddress, executor, tracing string) *languageHost {
	return &languageHost{
		children:      newChildren(ctx),
		engineAddress: engineAddress,
		executor:      executor,
		tracing:       tracing,
	}
}

func (h *languageHost) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	if req.GetEngineAddress() != "" {
		h.engineAddress = req.GetEngineAddress()
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// Cancel stops the programs that run; the host itself goes on serving.
func (h *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancelPrograms()
	return &emptypb.Empty{}, nil
}

func (h *languageHost) About(ctx context.Context, req *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	python, err := resolvePython(req.GetInfo(), programPython)
	if err != nil {
		return nil, err
	}
	info, err := python.About(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the Python interpreter about itself: %w", err)
	}
	return &pulumirpc.AboutResponse{
		Executable: info.PythonExecutable,
		Version:    info.PythonVersion.String(),
		Metadata: map[string]string{
			"toolchain":        toolchain.Name(python.options.Toolchain),
			"toolchainVersion": info.ToolchainVersion.String(),
			"typechecker":      toolchain.TypeCheckerName(python.options.Typechecker),
		},
	}, nil
}

// RuntimeOptionsPrompts asks nothing: the defaults (pip, the ambient interpreter) run any program.
func (h *languageHost) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// Template turns requirements.txt into what the project's toolchain reads (pyproject.toml for uv and poetry).
func (h *languageHost) Template(
	ctx context.Context, req *pulumirpc.TemplateRequest,
) (*pulumirpc.TemplateResponse, error) {
	python, err := resolvePython(req.GetInfo(), programPython)
	if err != nil {
		return nil, err
	}
	err = python.PrepareProject(ctx, req.GetProjectName(), req.GetInfo().GetProgramDirectory(), false, nil, nil)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.TemplateResponse{}, nil
}

func (h *languageHost) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest, server pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	kind := programPython
	if req.GetIsPlugin() {
		kind = installedPluginPython
	}
	python, err := resolvePython(req.GetInfo(), kind)
	if err != nil {
		return err
	}
	streams := newStreams(func(stdout, stderr []byte) error {
		return server.Send(&pulumirpc.InstallDependenciesResponse{Stdout: stdout, Stderr: stderr})
	})
	ctx, release := h.scope(server.Context())
	defer release()
	folder, languageTools := req.GetInfo().GetProgramDirectory(), req.GetUseLanguageVersionTools()
	if req.GetIsPlugin() {
		if err := installPluginItself(ctx, python, folder, languageTools, streams); err != nil {
			return err
		}
	}
	return python.InstallDependencies(ctx, folder, languageTools, true, streams.stdout, streams.stderr)
}

// installPluginItself installs a plugin that is a Python package of its own (one with a build system in its
// pyproject.toml); a bare folder with a __main__.py needs no installation.
func installPluginItself(
	ctx context.Context, python *interpreter, folder string, languageTools bool, streams *streams,
) error {
	buildable, err := toolchain.IsBuildablePackage(folder)
	if err != nil || !buildable {
		return err
	}
	if err := python.EnsureVenv(ctx, folder, languageTools, true, streams.stdout, streams.stderr); err != nil {
		return err
	}
	cmd, err := python.ModuleCommand(ctx, "pip", "install", folder)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = streams.stdout, streams.stderr
	return cmd.Run()
}
