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

module "portcullis" {
  source = "../../modules/portcullis"

  image_uri = var.image_uri
  scanners  = ["inspector2", "trusted_advisor"]
  look_ups  = { sources = true, tags = "missing", groups = true }
  sweep     = { regions = ["eu-central-1", "us-east-1"] }

  subscriptions       = { security = { protocol = "email", endpoint = var.mail } }
  alarm_subscriptions = { security = { protocol = "email", endpoint = var.mail } }
}

module "frankfurt" {
  source    = "../../modules/forward"
  providers = { aws = aws.frankfurt }

  home_region = "eu-west-1"
  scanners    = ["inspector2"]
}

# Trusted Advisor sends its events in us-east-1 alone.
module "virginia" {
  source    = "../../modules/forward"
  providers = { aws = aws.virginia }

  home_region = "eu-west-1"
  scanners    = ["inspector2", "trusted_advisor"]
}
