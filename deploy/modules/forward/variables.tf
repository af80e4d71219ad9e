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
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.home_region))
    error_message = "Write the code of a Region, as in \"eu-west-1\"."
  }
}

variable "scanners" {
  description = "Whose events are sent: `inspector2`, `security_hub`, `guardduty`, `config`, `trusted_advisor`. The same as in the module portcullis, or fewer."
  type        = set(string)
  default     = ["inspector2", "security_hub"]

  validation {
    condition     = length(var.scanners) > 0 && length(setsubtract(var.scanners, ["inspector2", "security_hub", "guardduty", "config", "trusted_advisor"])) == 0
    error_message = "Name at least one of inspector2, security_hub, guardduty, config and trusted_advisor, and no other."
  }
}

variable "alarm_topic_arn" {
  description = "A topic of this Region that hears when events could not be sent; no alarm is made where none is named."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:[^: ]+:sns:[^: ]+:[0-9]{12}:[^: ]+$", var.alarm_topic_arn))
    error_message = "Write the ARN of an SNS topic of this Region."
  }
}
