# Who may assume the role, and what it may do, with a provider that makes nothing.

mock_provider "aws" {}

variables {
  function_role_arn = "arn:aws:iam::111122223333:role/portcullis-function"
  external_id       = "example-1"
  look_ups          = { tags = "always", containers = true }
}

run "the_function_alone_may_assume_it_and_only_with_the_external_id" {
  assert {
    condition = jsondecode(aws_iam_role.look_ups.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = "arn:aws:iam::111122223333:role/portcullis-function" }
      Condition = { StringEquals = { "sts:ExternalId" = "example-1" } }
    }]
    error_message = "The role trusts the function's role with the external id, and nobody else."
  }
}

run "it_may_read_for_the_look_ups_that_are_on" {
  assert {
    condition = jsondecode(aws_iam_role_policy.look_ups.policy).Statement[0].Action == [
      "ec2:DescribeInstances",
      "ecs:DescribeContainerInstances",
      "ecs:DescribeServices",
      "ecs:DescribeTasks",
      "ecs:ListClusters",
      "ecs:ListContainerInstances",
      "ecs:ListTasks",
      "elasticloadbalancing:DescribeTargetGroups",
    ]
    error_message = "The role has an action too many or too few."
  }
}

run "it_may_list_what_the_sweep_lists" {
  variables {
    look_ups       = {}
    sweep_scanners = ["inspector2"]
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.look_ups.policy).Statement[0].Action == ["inspector2:BatchGetAccountStatus", "inspector2:ListCoverage", "inspector2:ListFindings"]
    error_message = "The role has an action too many or too few."
  }
}

run "everybody_of_an_account" {
  command = plan

  variables {
    function_role_arn = "arn:aws:iam::111122223333:root"
  }

  expect_failures = [var.function_role_arn]
}

run "a_scanner_that_no_sweep_lists" {
  command = plan

  variables {
    sweep_scanners = ["guardduty"]
  }

  expect_failures = [var.sweep_scanners]
}

run "a_role_that_reads_nothing" {
  command = plan

  variables {
    look_ups = {}
  }

  expect_failures = [var.look_ups]
}
