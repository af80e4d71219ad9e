# Who may run the image, with a provider that makes nothing.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

run "an_account_alone_needs_no_policy" {
  assert {
    condition     = length(aws_ecr_repository_policy.portcullis) == 0 && aws_ecr_repository.portcullis.image_tag_mutability == "IMMUTABLE"
    error_message = "Nobody else may read, and a tag stays what it is."
  }
}

run "functions_of_other_accounts_may_read_and_nothing_else" {
  variables {
    function_accounts = ["444455556666"]
  }

  assert {
    condition = [for statement in jsondecode(aws_ecr_repository_policy.portcullis[0].policy).Statement : [statement.Action, statement.Principal]] == [
      [["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], { AWS = ["arn:aws:iam::444455556666:root"] }],
      [["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], { Service = "lambda.amazonaws.com" }],
    ]
    error_message = "The account and Lambda may read the image."
  }

  assert {
    condition     = jsondecode(aws_ecr_repository_policy.portcullis[0].policy).Statement[1].Condition == { ArnLike = { "aws:SourceArn" = ["arn:aws:lambda:*:444455556666:function:*"] } }
    error_message = "Lambda may read for functions of that account alone."
  }
}

run "an_account_that_is_none" {
  command = plan

  variables {
    function_accounts = ["production"]
  }

  expect_failures = [var.function_accounts]
}
