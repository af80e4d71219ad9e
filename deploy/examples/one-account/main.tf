# One account, one Region: Inspector's findings, with look-ups in the account itself.

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

variable "region" {
  description = "The Region of the function and of the scanner."
  type        = string
  default     = "eu-west-1"
}

variable "image_uri" {
  description = "The image, by its digest."
  type        = string
}

variable "mail" {
  description = "Who gets alerts and alarms."
  type        = string
}

module "portcullis" {
  source = "../../modules/portcullis"

  image_uri = var.image_uri
  scanners  = ["inspector2"]
  look_ups  = { sources = true, tags = "missing" }

  subscriptions       = { security = { protocol = "email", endpoint = var.mail } }
  alarm_subscriptions = { security = { protocol = "email", endpoint = var.mail } }
}

output "subscriptions_to_confirm" {
  description = "What is still to be confirmed, from the link in the mail."
  value       = module.portcullis.subscriptions_to_confirm
}
