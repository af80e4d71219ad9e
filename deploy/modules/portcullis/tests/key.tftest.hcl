# What is known only once it is made, with a provider that makes nothing.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

run "a_key_that_the_same_plan_makes" {
  command = plan

  module {
    source = "./tests/key"
  }
}
