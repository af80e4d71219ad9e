variable "name" {
  description = "What every resource is named for: the function has this name, the others begin with it."
  type        = string
  default     = "portcullis"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.name))
    error_message = "Write a name of 1 to 40 letters, digits and hyphens that begins with a letter, as in \"portcullis\"."
  }
}

variable "image_uri" {
  description = "The image of the function, by its digest: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:DIGEST`. Lambda takes images from ECR in its own Region alone."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.[a-z0-9.-]+/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$", var.image_uri))
    error_message = "Write the image by its digest, as in \"111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis@sha256:...\" (64 hexadecimal digits). `aws ecr describe-images --repository-name portcullis` prints it."
  }

  validation {
    condition     = strcontains(var.image_uri, ".ecr.${local.region}.")
    error_message = "Push the image to ECR in ${local.region}, and write it from there: Lambda takes none from ECR in another Region."
  }
}

variable "architecture" {
  description = "What the image was built for: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "Write \"x86_64\" or \"arm64\", whichever the image was built for."
  }
}

variable "memory_size" {
  description = "Memory of the function in MB. Lambda gives the processor with it."
  type        = number
  default     = 1024

  validation {
    condition     = var.memory_size >= 512 && var.memory_size <= 10240
    error_message = "Write a number of MB from 512 to 10240."
  }
}

variable "timeout" {
  description = "Seconds that one invocation may take. A message stays invisible for six times as long, and for the `batching_window`."
  type        = number
  default     = 60

  validation {
    condition     = var.timeout >= 30 && var.timeout <= 900
    error_message = "Write a number of seconds from 30 to 900."
  }
}

variable "batch_size" {
  description = "The most events of one invocation. Reports of one exposure in one invocation are one alert."
  type        = number
  default     = 100

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000
    error_message = "Write a number from 1 to 10000."
  }
}

variable "batching_window" {
  description = "Seconds for which Lambda gathers events before it invokes the function."
  type        = number
  default     = 10

  validation {
    condition     = var.batching_window >= 0 && var.batching_window <= 300 && (var.batch_size <= 10 || var.batching_window >= 1)
    error_message = "Write a number of seconds from 0 to 300. With a batch_size of more than 10 Lambda asks for at least 1."
  }
}

variable "maximum_concurrency" {
  description = "The most invocations at a time. It is the queue's limit, so events that have to wait are not failures."
  type        = number
  default     = 5

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "Write a number from 2 to 1000: Lambda takes no other."
  }
}

variable "maximum_receives" {
  description = "How often an event is delivered before it rests in the dead-letter queue."
  type        = number
  default     = 5

  validation {
    condition     = var.maximum_receives >= 5 && var.maximum_receives <= 1000
    error_message = "Write a number from 5 to 1000: with fewer, events that Lambda throttles end in the dead-letter queue."
  }
}

variable "scanners" {
  description = "Whose events are judged: `inspector2`, `security_hub` (both Hubs), `guardduty`, `config`, `trusted_advisor`. Trusted Advisor sends its events in us-east-1 alone: elsewhere it needs `unchecked_scanners`."
  type        = set(string)
  default     = ["inspector2", "security_hub"]

  validation {
    condition     = length(var.scanners) > 0 && alltrue([for scanner in var.scanners : fileexists("${path.module}/../../patterns/${scanner}.json")])
    error_message = "Name at least one of inspector2, security_hub, guardduty, config and trusted_advisor, and no other."
  }
}

variable "unchecked_scanners" {
  description = "Those of `scanners` that are not refused where this Region does not have them: another Region sends their events here (module `forward`), or AWS has brought them here since `deploy/absent.json` was written."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.unchecked_scanners, var.scanners)) == 0
    error_message = "Name only what is among scanners for unchecked_scanners."
  }
}

variable "alerts" {
  description = "How alerts are written: ALERT_MAX_MESSAGES, ALERT_MAX_BYTES, ALERT_HTTPS_FORMAT and ALERT_TEAM_TAG of docs/settings.md."
  type = object({
    max_messages = optional(number, 10)
    max_bytes    = optional(number, 262144)
    https_format = optional(string, "json")
    team_tag     = optional(string, "Team")
  })
  default = {}

  validation {
    condition     = var.alerts.max_messages >= 1 && floor(var.alerts.max_messages) == var.alerts.max_messages
    error_message = "Write a whole number of at least 1 for max_messages."
  }

  validation {
    condition     = var.alerts.max_bytes >= 16384 && var.alerts.max_bytes <= 262144
    error_message = "Write a number of bytes from 16384 to 262144 for max_bytes: the topic takes no larger messages."
  }

  validation {
    condition     = contains(["json", "amazon-q"], var.alerts.https_format)
    error_message = "Write \"json\" or \"amazon-q\" for https_format."
  }

  validation {
    condition     = length(var.alerts.team_tag) > 0
    error_message = "Write the key of a tag for team_tag, as in \"Team\"."
  }
}

variable "look_ups" {
  description = "What is read from AWS beside the reports (docs/look-ups.md), and by which role in other accounts. Each look-up adds its own permissions to the function's role."
  type = object({
    sources     = optional(bool, false)
    tags        = optional(string, "never")
    groups      = optional(bool, false)
    containers  = optional(bool, false)
    role_name   = optional(string, "")
    external_id = optional(string, "")
  })
  default = {}

  validation {
    condition     = contains(["never", "missing", "always"], var.look_ups.tags)
    error_message = "Write \"never\", \"missing\" or \"always\" for tags."
  }

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@-]{1,64})?$", var.look_ups.role_name))
    error_message = "Write the name of the role for role_name, without its ARN and path."
  }

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@:/-]{2,})?$", var.look_ups.external_id)) && length(var.look_ups.external_id) <= 1224
    error_message = "Write 2 to 1224 letters, digits or any of _+=,.@:/- for external_id."
  }

  validation {
    condition     = var.look_ups.external_id == "" || var.look_ups.role_name != ""
    error_message = "There is an external_id and no role_name to assume with it: name the role, or leave both out."
  }

  validation {
    condition     = var.look_ups.role_name == "" || var.look_ups.sources || var.look_ups.groups || var.look_ups.containers || var.look_ups.tags != "never" || (local.sweeps && length(local.listed) > 0)
    error_message = "There is a role_name and no look-up or sweep that would use it: switch on sources, tags, groups or containers, or leave the role out."
  }
}

variable "memory" {
  description = "The memory of what was told (docs/memory.md), a DynamoDB table. Without it every report of something denied alerts, each time. `mode` is MODE of docs/settings.md: `observe` for a quiet start."
  type = object({
    enabled          = optional(bool, true)
    mode             = optional(string, "alert")
    retention_days   = optional(number, 90)
    unread_hours     = optional(number, 3)
    flapping_changes = optional(number, 6)
    flapping_hours   = optional(number, 24)
    reminder_days    = optional(number, 0)
  })
  default = {}

  validation {
    condition     = alltrue([for value in [var.memory.retention_days, var.memory.unread_hours, var.memory.flapping_changes, var.memory.flapping_hours] : value >= 1 && floor(value) == value])
    error_message = "Write whole numbers of at least 1 for retention_days, unread_hours, flapping_changes and flapping_hours."
  }

  validation {
    condition     = var.memory.reminder_days >= 0 && floor(var.memory.reminder_days) == var.memory.reminder_days
    error_message = "Write a whole number for reminder_days, 0 for never."
  }

  validation {
    condition     = contains(["alert", "observe"], var.memory.mode) && (var.memory.enabled || var.memory.mode == "alert")
    error_message = "Write \"alert\" or \"observe\" for mode; a function that only observes needs the memory enabled."
  }
}

variable "sweep" {
  description = "The sweep (docs/sweep.md): how often a second function of the same image, with a queue of its own, judges what the memory holds as open again, and which `scanners` (`inspector2`, `securityhub`, `securityhub-v2`) it lists in the function's Region and in which other `regions`. It is on where the memory is, and lists Inspector's findings where `scanners` has them."
  type = object({
    enabled             = optional(bool)
    every_hours         = optional(number, 1)
    scanners            = optional(set(string))
    regions             = optional(set(string), [])
    untold_days         = optional(number, 30)
    expiring_days       = optional(number, 14)
    unused_days         = optional(number, 90)
    memory_size         = optional(number, 1024)
    maximum_concurrency = optional(number, 5)
  })
  default = {}

  validation {
    condition     = var.sweep.enabled != true || var.memory.enabled
    error_message = "A sweep judges what the memory holds: leave the memory on, or write sweep = { enabled = false }."
  }

  validation {
    condition     = length(setsubtract(var.sweep.scanners == null ? [] : var.sweep.scanners, keys(local.permissions.sweep))) == 0
    error_message = "Name inspector2, securityhub or securityhub-v2 as scanners of the sweep, and no other; [] where it is to list nothing."
  }

  validation {
    condition     = alltrue([for region in var.sweep.regions : can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "Write the codes of Regions for regions, as in [\"eu-central-1\"]."
  }

  validation {
    condition     = alltrue([for days in [var.sweep.untold_days, var.sweep.expiring_days, var.sweep.unused_days] : days >= 0 && days <= 36500 && floor(days) == days])
    error_message = "Write whole numbers of days from 0 to 36500 for untold_days, expiring_days and unused_days, 0 for never."
  }

  validation {
    condition     = contains(range(1, 9), var.sweep.every_hours)
    error_message = "Write a whole number of hours from 1 to 8 for every_hours: after three of them without a sweep there is an alarm, which CloudWatch can hold against one day."
  }

  validation {
    condition     = var.sweep.memory_size >= 512 && var.sweep.memory_size <= 10240
    error_message = "Write a number of MB from 512 to 10240 for memory_size."
  }

  validation {
    condition     = var.sweep.maximum_concurrency >= 2 && var.sweep.maximum_concurrency <= 1000
    error_message = "Write a number from 2 to 1000 for maximum_concurrency: Lambda takes no other."
  }
}

locals {
  endpoints = jsondecode(file("${path.module}/../../endpoints.json"))

  endpoint_error = "Write email, email-json, sms, https, sqs or lambda for the protocol of each subscription, and an endpoint that fits it: an address, +49..., https://..., or the ARN of the queue or of the function."
}

variable "subscriptions" {
  description = "Who gets the alerts, by a name of your own: protocol (`email`, `email-json`, `sms`, `https`, `sqs`, `lambda`), endpoint, and which teams and severities; all of them where none is named. A queue or a function must admit the topic by its own policy."
  type = map(object({
    protocol   = string
    endpoint   = string
    teams      = optional(list(string), [])
    severities = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for entry in values(var.subscriptions) : can(regex(local.endpoints[entry.protocol], entry.endpoint))])
    error_message = local.endpoint_error
  }

  validation {
    condition     = alltrue([for entry in values(var.subscriptions) : length(setsubtract(entry.severities, ["critical", "high", "medium", "none"])) == 0])
    error_message = "Write critical, high, medium or none (answers to persons) for the severities of a subscription."
  }
}

variable "alarm_subscriptions" {
  description = "Who hears when the function itself fails, by a name of your own: protocol and endpoint, as of `subscriptions`."
  type = map(object({
    protocol = string
    endpoint = string
  }))
  default = {}

  validation {
    condition     = alltrue([for entry in values(var.alarm_subscriptions) : can(regex(local.endpoints[entry.protocol], entry.endpoint))])
    error_message = local.endpoint_error
  }
}

# An object, so that a plan knows that there is a key where the ARN is known only once it is made.
variable "alert_key" {
  description = "A KMS key of your own, in this Region, for the topic of the alerts, by its ARN: `{ arn = aws_kms_key.alerts.arn }`. The module makes one where none is named. Its policy must let the account's IAM policies count."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.alert_key == null || can(regex("^arn:[^: ]+:kms:${local.region}:[0-9]{12}:key/(mrk-)?[0-9a-f-]+$", var.alert_key.arn))
    error_message = "Write the ARN of a KMS key of this Region (arn:aws:kms:${local.region}:ACCOUNT:key/ID), not its alias or id: SNS encrypts with no other."
  }
}

variable "alarm_key_arn" {
  description = "A KMS key for the topic of the alarms, in this Region, whose policy admits `cloudwatch.amazonaws.com`. Another than that of the alerts, so that one broken key does not silence both; without one the topic is not encrypted."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_key_arn == null || can(regex("^arn:[^: ]+:kms:${local.region}:[0-9]{12}:key/(mrk-)?[0-9a-f-]+$", var.alarm_key_arn))
    error_message = "Write the ARN of a KMS key of this Region (arn:aws:kms:${local.region}:ACCOUNT:key/ID), not its alias or id: SNS encrypts with no other."
  }

  validation {
    condition     = var.alarm_key_arn == null || var.alarm_key_arn != try(var.alert_key.arn, null)
    error_message = "Name another key than that of the alerts, or none: one broken key must not silence both topics."
  }
}

variable "log_retention_days" {
  description = "Days for which the log is kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Write a number of days that CloudWatch Logs takes, as in 30, 90 or 365."
  }
}

variable "permissions_boundary_arn" {
  description = "A permissions boundary for the roles, where your organization asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[^: ]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "Write the ARN of a policy (arn:aws:iam::ACCOUNT:policy/NAME)."
  }
}
