variable "name" {
  description = "The name of the role, the same in every account: LOOK_UP_ROLE_NAME of the function."
  type        = string
  default     = "portcullis-look-ups"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "Write a name of 1 to 64 letters, digits or any of _+=,.@-, without a path."
  }
}

variable "function_role_arn" {
  description = "The role of the function, which alone may assume this one: `role_arn` of the module portcullis."
  type        = string

  validation {
    condition     = can(regex("^arn:[^: ]+:iam::[0-9]{12}:role/[^*]+$", var.function_role_arn))
    error_message = "Write the ARN of the function's role (arn:aws:iam::ACCOUNT:role/NAME), without wildcards."
  }
}

variable "external_id" {
  description = "The external id that the function must name: LOOK_UP_EXTERNAL_ID."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]{2,}$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "Write 2 to 1224 letters, digits or any of _+=,.@:/-."
  }
}

variable "look_ups" {
  description = "The look-ups that are on, as in the module portcullis. Each has permissions of its own."
  type = object({
    sources    = optional(bool, false)
    tags       = optional(string, "never")
    groups     = optional(bool, false)
    containers = optional(bool, false)
  })

  validation {
    condition     = contains(["never", "missing", "always"], var.look_ups.tags)
    error_message = "Write \"never\", \"missing\" or \"always\" for tags."
  }

  validation {
    condition     = var.look_ups.sources || var.look_ups.groups || var.look_ups.containers || var.look_ups.tags != "never" || length(var.sweep_scanners) > 0
    error_message = "Switch on sources, tags, groups or containers, or name sweep_scanners: a role without permissions reads nothing."
  }
}

variable "sweep_scanners" {
  description = "The scanners that the sweep lists in this account, as `scanners` of `sweep` in the module portcullis: `inspector2`, `securityhub`, `securityhub-v2`."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.sweep_scanners, keys(local.permissions.sweep))) == 0
    error_message = "Name inspector2, securityhub or securityhub-v2, and no other."
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
