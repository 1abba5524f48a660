"""The package schema that Pulumi's YAML runtime types programs by, made of the installed pulumi_aws."""
