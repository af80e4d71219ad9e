# Several Regions: one function, to whose Region the others send their reports. What is looked up is read in the Region
# of the finding.

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
  region = "eu-west-1"
}

provider "aws" {
  alias  = "frankfurt"
  region = "eu-central-1"
}

provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

variable "image_uri" {
  description = "The image in ECR of eu-west-1, by its digest."
  type        = string
}

variable "mail" {
  description = "Who gets alerts and alarms."
  type        = string
}

locals {
  on_call = { security = { protocol = "email", endpoint = var.mail } }
}

module "portcullis" {
  source = "../../modules/portcullis"

  image_uri = var.image_uri
  scanners  = ["inspector2", "trusted_advisor"]
  look_ups  = { sources = true, tags = "missing", groups = true }

  unchecked_scanners = ["trusted_advisor"] # its events come from us-east-1, see below
  sweep              = { regions = ["eu-central-1", "us-east-1"] }

  subscriptions       = local.on_call
  alarm_subscriptions = local.on_call
}

module "frankfurt" {
  source    = "../../modules/forward"
  providers = { aws = aws.frankfurt }

  home_region         = "eu-west-1"
  scanners            = ["inspector2"]
  alarm_subscriptions = local.on_call
}

# Trusted Advisor sends its events in us-east-1 alone.
module "virginia" {
  source    = "../../modules/forward"
  providers = { aws = aws.virginia }

  home_region         = "eu-west-1"
  scanners            = ["inspector2", "trusted_advisor"]
  alarm_subscriptions = local.on_call
}

output "subscriptions_to_confirm" {
  description = "What is still to be confirmed, from the link in the mail."
  value       = merge(module.portcullis.subscriptions_to_confirm, module.frankfurt.subscriptions_to_confirm, module.virginia.subscriptions_to_confirm)
}
