# An organization: the function runs in the delegated administrator's account, whose event bus gets the findings of all
# members, and looks things up in the members by a role. With CloudFormation StackSets or a loop of your own the module
# look-up-role goes into every member; here is one.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100"
    }
  }
}

provider "aws" {
  region = var.region
}

provider "aws" {
  alias  = "member"
  region = var.region

  assume_role {
    role_arn = var.member_role_arn
  }
}

variable "region" {
  description = "The Region of the function and of the scanners."
  type        = string
  default     = "eu-west-1"
}

variable "image_uri" {
  description = "The image, by its digest."
  type        = string
}

variable "member_role_arn" {
  description = "The role by which Terraform works in the member account."
  type        = string
}

variable "external_id" {
  description = "The external id between the function and the look-up roles."
  type        = string
}

variable "security_queue_arn" {
  description = "The queue of the security team's own tooling, which gets every alert."
  type        = string
}

variable "netops_mail" {
  description = "The mail address of a team, which gets the alerts about its servers."
  type        = string
}

variable "on_call_mail" {
  description = "Who hears when the function itself fails."
  type        = string
}

locals {
  look_ups       = { sources = true, tags = "missing", groups = true, containers = true }
  sweep_scanners = ["inspector2", "securityhub"]
}

module "portcullis" {
  source = "../../modules/portcullis"

  image_uri = var.image_uri
  scanners  = ["inspector2", "security_hub", "guardduty"]
  look_ups  = merge(local.look_ups, { role_name = "portcullis-look-ups", external_id = var.external_id })
  sweep     = { scanners = local.sweep_scanners }

  subscriptions = {
    security = { protocol = "sqs", endpoint = var.security_queue_arn }
    netops   = { protocol = "email", endpoint = var.netops_mail, teams = ["netops"], severities = ["critical", "high"] }
  }

  alarm_subscriptions = { on_call = { protocol = "email", endpoint = var.on_call_mail } }
}

module "look_ups" {
  source    = "../../modules/look-up-role"
  providers = { aws = aws.member }

  function_role_arn = module.portcullis.role_arn
  external_id       = var.external_id
  look_ups          = local.look_ups
  sweep_scanners    = local.sweep_scanners
}

output "subscriptions_to_confirm" {
  description = "What is still to be confirmed, from the link in the mail."
  value       = module.portcullis.subscriptions_to_confirm
}
