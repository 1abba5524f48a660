// Command pulumi-language-python is the Python language host of a Pulumi CLI that was built from the Go module
// proxy, which carries every part of the CLI except this one. It speaks the published LanguageRuntime protocol
// (pulumi/language.proto) and leaves the choice of an interpreter to Pulumi's own python/toolchain package, so
// that Pulumi.yaml, PulumiPlugin.yaml and PulumiPolicy.yaml mean what they mean with an official installation.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const (
	// executorName is Pulumi's own script that runs a program inside a stack; it is installed beside this command.
	executorName = "pulumi-language-python-exec"
	// engineCheckInterval bounds how long children outlive an engine that is not this process's parent.
	engineCheckInterval = 2 * time.Second
)

func main() {
	tracing := flag.String("tracing", "", "Zipkin-compatible endpoint that programs send traces to")
	executor := flag.String("use-executor", "", "script that runs a program (default: the one beside this command)")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	logging.InitLogging(false, 0, false)
	if err := serve(flag.Arg(0), *executor, *tracing); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-python: %v\n", err)
		os.Exit(1)
	}
}

// serve answers on a free loopback port, which it prints, until it is told to stop or the engine has gone.
func serve(engineAddress, executor, tracing string) error {
	executor, err := findExecutor(executor)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if engineAddress != "" {
		if err := rpcutil.Healthcheck(ctx, engineAddress, engineCheckInterval, stop); err != nil {
			return fmt.Errorf("cannot watch the engine at %s: %w", engineAddress, err)
		}
		go stopAtEndOfInput(stop)
	}
	host := newLanguageHost(ctx, engineAddress, executor, tracing)
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(srv *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(srv, host)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	fmt.Printf("%d\n", server.Port)
	select {
	case <-ctx.Done():
		host.awaitChildren()
		return nil
	case err := <-server.Done:
		return err
	}
}

// stopAtEndOfInput notices at once that the engine has gone: it holds the other end of this process's stdin, on
// which it never writes.
func stopAtEndOfInput(stop context.CancelFunc) {
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop()
}

func findExecutor(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot tell where this command is: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), executorName)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing beside this command; install the toolchain again: %w", executorName, err)
	}
	return path, nil
}
