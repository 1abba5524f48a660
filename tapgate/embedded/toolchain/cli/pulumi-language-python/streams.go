package main

import (
	"io"
	"sync"
)

// streams are a response stream's two output channels. A gRPC stream takes one sender at a time, and a child
// writes to both of its channels at once.
type streams struct {
	stdout, stderr io.Writer
}

func newStreams(send func(stdout, stderr []byte) error) *streams {
	var mutex sync.Mutex
	return &streams{
		stdout: writerFunc(func(text []byte) error {
			mutex.Lock()
			defer mutex.Unlock()
			return send(text, nil)
		}),
		stderr: writerFunc(func(text []byte) error {
			mutex.Lock()
			defer mutex.Unlock()
			return send(nil, text)
		}),
	}
}

type writerFunc func([]byte) error

func (write writerFunc) Write(text []byte) (int, error) {
	if err := write(text); err != nil {
		return 0, err
	}
	return len(text), nil
}
