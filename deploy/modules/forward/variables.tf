variable "name" {
  description = "What every resource is named for."
  type        = string
  default     = "portcullis-forward"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.name))
    error_message = "Write a name of 1 to 40 letters, digits and hyphens that begins with a letter."
  }
}

variable "home_region" {
  description = "The Region of the function, to whose default event bus the reports of this Region are sent."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]+$", var.home_region))
    error_message = "Write the code of a Region, as in \"eu-west-1\"."
  }

  validation {
    condition     = var.home_region != local.region
    error_message = "This is ${local.region} itself, whose events need no sending: leave this module out there."
  }
}

variable "scanners" {
  description = "Whose events are sent: `inspector2`, `security_hub`, `guardduty`, `config`, `trusted_advisor`. The same as in the module portcullis, or fewer."
  type        = set(string)
  default     = ["inspector2", "security_hub"]

  validation {
    condition     = length(var.scanners) > 0 && alltrue([for scanner in var.scanners : fileexists("${path.module}/../../patterns/${scanner}.json")])
    error_message = "Name at least one of inspector2, security_hub, guardduty, config and trusted_advisor, and no other."
  }
}

variable "unchecked_scanners" {
  description = "Those of `scanners` that are not refused where this Region does not have them: AWS has brought them here since `deploy/absent.json` was written."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.unchecked_scanners, var.scanners)) == 0
    error_message = "Name only what is among scanners for unchecked_scanners."
  }
}

variable "alarm_subscriptions" {
  description = "Who hears when events could not be sent, by a name of your own: protocol and endpoint, as of the module portcullis."
  type = map(object({
    protocol = string
    endpoint = string
  }))
  default = {}

  validation {
    condition     = alltrue([for entry in values(var.alarm_subscriptions) : can(regex(local.endpoints[entry.protocol], entry.endpoint))])
    error_message = "Write email, email-json, sms, https, sqs or lambda for the protocol of each subscription, and an endpoint that fits it: an address, +49..., https://..., or the ARN of the queue or of the function."
  }
}

variable "permissions_boundary_arn" {
  description = "A permissions boundary for the role, where your organization asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[^: ]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "Write the ARN of a policy (arn:aws:iam::ACCOUNT:policy/NAME)."
  }
}
