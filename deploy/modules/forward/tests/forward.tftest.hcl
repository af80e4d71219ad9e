# What is sent where, with a provider that makes nothing.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/portcullis-forward-eu-central-1" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:111122223333:rule/portcullis-forward" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:111122223333:portcullis-forward-alarms" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:111122223333:portcullis-forward-undelivered" }
  }
}

variables {
  home_region         = "eu-west-1"
  alarm_subscriptions = { on_call = { protocol = "email", endpoint = "on-call@example.com" } }
}

run "reports_go_to_the_bus_of_the_home_region_and_nowhere_else" {
  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.scanner : target.arn == "arn:aws:events:eu-west-1:111122223333:event-bus/default" && target.role_arn == aws_iam_role.forward.arn && target.dead_letter_config[0].arn == aws_sqs_queue.undelivered.arn])
    error_message = "Every rule sends to the home bus by its role, and has a dead-letter queue."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.forward.policy).Statement == [{ Sid = "HomeBus", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:eu-west-1:111122223333:event-bus/default"] }]
    error_message = "The role may put events on the home bus, and no more."
  }
}

run "the_role_has_the_boundary_that_is_asked_for" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:policy/boundary"
  }

  assert {
    condition     = aws_iam_role.forward.permissions_boundary == "arn:aws:iam::111122223333:policy/boundary"
    error_message = "An organization may ask for a boundary on every role."
  }
}

run "what_could_not_be_sent_is_an_alarm" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.alarm_actions == toset([aws_sns_topic.alarms.arn]) && aws_cloudwatch_metric_alarm.undelivered.dimensions["QueueName"] == aws_sqs_queue.undelivered.name
    error_message = "The alarm looks at the queue of what could not be sent, and is told on the topic of this Region."
  }

  assert {
    condition     = aws_sns_topic_subscription.alarms["on_call"].topic_arn == aws_sns_topic.alarms.arn && aws_sns_topic_subscription.alarms["on_call"].endpoint == "on-call@example.com"
    error_message = "Whoever is named hears of it."
  }
}

run "an_alarm_that_nobody_would_hear" {
  command = plan

  variables {
    alarm_subscriptions = {}
  }

  expect_failures = [check.alarms_are_heard]
}

run "an_alarm_to_a_queue_by_its_url" {
  command = plan

  variables {
    alarm_subscriptions = { on_call = { protocol = "sqs", endpoint = "https://sqs.eu-central-1.amazonaws.com/111122223333/on-call" } }
  }

  expect_failures = [var.alarm_subscriptions]
}

run "a_scanner_that_there_is_not" {
  command = plan

  variables {
    scanners = ["inspector"]
  }

  expect_failures = [var.scanners]
}

run "the_home_region_itself" {
  command = plan

  variables {
    home_region = "eu-central-1"
  }

  expect_failures = [var.home_region]
}

run "a_home_region_by_its_name" {
  command = plan

  variables {
    home_region = "Ireland"
  }

  expect_failures = [var.home_region]
}

run "a_scanner_that_this_region_does_not_have" {
  command = plan

  variables {
    scanners = ["trusted_advisor"]
  }

  expect_failures = [aws_cloudwatch_event_rule.scanner]
}

run "a_region_without_inspector" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-6" }
  }

  expect_failures = [aws_cloudwatch_event_rule.scanner["inspector2"]]
}

run "a_scanner_that_has_come_since" {
  command = plan

  variables {
    unchecked_scanners = ["inspector2"]
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-6" }
  }
}

run "a_scanner_that_is_not_sent_and_not_checked" {
  command = plan

  variables {
    unchecked_scanners = ["guardduty"]
  }

  expect_failures = [var.unchecked_scanners]
}
