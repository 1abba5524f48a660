"""The AWS stand-in provider: serves every `aws:*` type of the installed pulumi_aws without reaching AWS."""
