"""Physical names: `tap-<component>-<suffix>`, with account and region where AWS wants more than that.

A bucket's name is unique in the world and an IAM role's in the account, whatever the region; so these
two carry the region (and the bucket the account), and one suffix can live in several regions at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SUFFIX_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""What a bucket name leaves for the suffix; every other service allows more."""

MAX_SUFFIX_LENGTH = 25
"""The bucket decides: `tap-data-<suffix>-<12 digits>-<region of up to 15>` in 63 characters.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""

METADATA_TABLE, ALARM_TOPIC = "metadata", "alarms"
WORK, DEAD_LETTERS, FAILED_EVENTS = "work", "dlq", "failed-events"
"""The components that are tables, topics and queues."""

_STACK_PREFIX = "TapStack"


def suffix_of_stack(stack: str) -> str | None:
    """Return what follows `TapStack` in a stack's name: `pr12` of `TapStackpr12`, None of other names."""
    return stack.removeprefix(_STACK_PREFIX) or None if stack.startswith(_STACK_PREFIX) else None


@dataclass(frozen=True, slots=True)
class Names:
    """The names that the suffix alone decides."""

    suffix: str

    def of(self, component: str) -> str:
        """Return `tap-<component>-<suffix>`."""
        return f"tap-{component}-{self.suffix}"

    @property
    def alarms(self) -> tuple[str, ...]:
        """The names of all alarms of the stack."""
        return (
            self.of("api-handler-errors"),
            self.of("api-handler-5xx"),
            self.of("api-handler-duration"),
            self.of("processor-errors"),
            self.of("dynamodb-throttles"),
            self.of("dlq-depth"),
            self.of("failed-events-depth"),
        )

    def log_group(self, function: str) -> str:
        """Return the log group that Lambda itself would choose for a function, by its component."""
        return f"/aws/lambda/{self.of(function)}"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the stack is deployed."""

    account: str
    """Twelve digits."""
    region: str
    """For instance `eu-west-2`."""
    partition: str
    """`aws`, `aws-cn`, `aws-us-gov`, …"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Names and ARNs that follow from the names and the location.

    They are composed rather than read from the resources, so that every policy document is known, and can
    be evaluated, at preview; an ARN read from a resource that does not exist yet hides the whole document.
    """

    names: Names
    location: Location

    def _arn(self, service: str, resource: str) -> str:
        where = self.location
        return f"arn:{where.partition}:{service}:{where.region}:{where.account}:{resource}"

    @property
    def bucket_name(self) -> str:
        """The bucket, unique in the world."""
        return f"{self.names.of('data')}-{self.location.account}-{self.location.region}"

    @property
    def key_alias(self) -> str:
        """The key's alias, unmistakable wherever it is quoted."""
        return f"alias/{self.names.of('key')}-{self.location.account}-{self.location.region}"

    def role_name(self, function: str) -> str:
        """Return the name of a function's role, by the function's component (`api-handler`)."""
        return f"{self.names.of(f'{function}-role')}-{self.location.region}"

    def role(self, function: str) -> str:
        """Return the ARN of a function's role, by the function's component."""
        return f"arn:{self.location.partition}:iam::{self.location.account}:role/{self.role_name(function)}"

    @property
    def account_root(self) -> str:
        """The account itself, as a principal."""
        return f"arn:{self.location.partition}:iam::{self.location.account}:root"

    @property
    def bucket(self) -> str:
        """The bucket's ARN."""
        return f"arn:{self.location.partition}:s3:::{self.bucket_name}"

    @property
    def metadata_table(self) -> str:
        """The table's ARN."""
        return self._arn("dynamodb", f"table/{self.names.of(METADATA_TABLE)}")

    @property
    def alarm_topic(self) -> str:
        """The alarm topic's ARN."""
        return self._arn("sns", self.names.of(ALARM_TOPIC))

    def queue(self, component: str) -> str:
        """Return the ARN of a queue, by its component."""
        return self._arn("sqs", self.names.of(component))

    @property
    def alarms(self) -> list[str]:
        """The ARNs of all alarms."""
        return [self._arn("cloudwatch", f"alarm:{name}") for name in self.names.alarms]

    def log_group(self, function: str) -> str:
        """Return the ARN of the log group of a function, by the function's component."""
        return self._arn("logs", f"log-group:{self.names.log_group(function)}")

    def via(self, service: str) -> str:
        """Return the `kms:ViaService` value of a service in this region."""
        return f"{service}.{self.location.region}.amazonaws.com"
