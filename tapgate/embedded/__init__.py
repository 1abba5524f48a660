"""The embedded default: what the gate needs on a machine without Pulumi CLI, AWS account or credentials."""
