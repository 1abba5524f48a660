//go:build tools

// Package tools names the commands that this module builds besides its own, so that go.mod keeps their versions.
package tools

import (
	_ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
)
