package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// stopGrace is what a child has between being asked to stop and being killed. The engine gives the host itself
	// five seconds.
	stopGrace = 2 * time.Second
	// exitGrace bounds how long the host waits for its children when it stops.
	exitGrace = stopGrace + time.Second
)

// children are the Python processes of this host. Each leads a process group of its own, so that what it starts
// ends with it.
type children struct {
	stopping context.Context
	running  *sync.WaitGroup

	// programs is the scope that Cancel ends; plugins live on, for the engine to end them in order.
	mutex       *sync.Mutex
	programs    context.Context
	endPrograms context.CancelFunc
}

func newChildren(stopping context.Context) children {
	programs, end := context.WithCancel(stopping)
	return children{
		stopping: stopping, running: &sync.WaitGroup{},
		mutex: &sync.Mutex{}, programs: programs, endPrograms: end,
	}
}

// scope ends with the request or with the host, whichever comes first.
func (c *children) scope(request context.Context) (context.Context, func()) {
	return endingWith(c.stopping, request)
}

// programScope ends with the next cancelPrograms, too.
func (c *children) programScope(request context.Context) (context.Context, func()) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return endingWith(c.programs, request)
}

func endingWith(parent, request context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(parent)
	detach := context.AfterFunc(request, cancel)
	return ctx, func() { detach(); cancel() }
}

func (c *children) cancelPrograms() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.endPrograms()
	c.programs, c.endPrograms = context.WithCancel(c.stopping)
}

// awaitChildren returns when all children have ended, or after exitGrace.
func (c *children) awaitChildren() {
	ended := make(chan struct{})
	go func() { c.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(exitGrace):
	}
}

// run starts the command, lets `attend` wait for it, and leaves nothing of its process group behind. The command
// must have been made with a context from scope; `ask` is the signal that asks it to stop.
func (c *children) run(cmd *exec.Cmd, ask syscall.Signal, attend func() error) error {
	// On Linux a child is told of its parent's death by the thread that started it, so that thread has to live.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = ownProcessGroup()
	cmd.Cancel = func() error { return ignoreGone(syscall.Kill(-cmd.Process.Pid, ask)) }
	cmd.WaitDelay = stopGrace
	c.running.Add(1)
	defer c.running.Done()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
	return attend()
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
