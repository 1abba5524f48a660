// The program in TypeScript. The Automation API is its language host, so that no other has to be installed; the
// engine, the pack and what they say of each other are the same. Arguments: the folders of the packs.
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation";

type Arguments = Record<string, pulumi.Input<unknown>>;

class Resource extends pulumi.CustomResource {
  constructor(type: string, name: string, args: Arguments) {
    super(type, name, { ...args, tags: { Project: "vendored", Environment: "dev" } });
  }
}

const program = async (): Promise<void> => {
  new Resource("aws:kms/key:Key", "rotating", { enableKeyRotation: true });
  new Resource("aws:kms/key:Key", "still", { enableKeyRotation: false });
  new Resource("aws:sqs/queue:Queue", "queue", { sqsManagedSseEnabled: true });
};

const preview = async (policyPacks: string[]): Promise<void> => {
  const stack = await LocalWorkspace.createOrSelectStack({
    stackName: "dev",
    projectName: "vendored",
    program,
  });
  await stack.preview({ policyPacks, onOutput: (text) => process.stdout.write(text) });
};

preview(process.argv.slice(2)).catch(() => {
  process.exitCode = 1;
});
