# What is refused before anything is made.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  image_uri           = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  alarm_subscriptions = { on_call = { protocol = "email", endpoint = "on-call@example.com" } }
}

run "an_image_without_digest" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis:latest"
  }

  expect_failures = [var.image_uri]
}

run "an_image_of_another_region" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.us-east-1.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.image_uri]
}

run "a_scanner_that_there_is_not" {
  command = plan

  variables {
    scanners = ["inspector"]
  }

  expect_failures = [var.scanners]
}

run "a_scanner_that_this_region_does_not_have" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.ap-southeast-6.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-6" }
  }

  expect_failures = [aws_cloudwatch_event_rule.scanner["inspector2"]]
}

run "the_other_scanners_of_such_a_region" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.ap-southeast-6.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    scanners  = ["security_hub", "guardduty", "config"]
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-6" }
  }
}

run "a_scanner_whose_events_another_region_sends" {
  command = plan

  variables {
    image_uri          = "111122223333.dkr.ecr.ap-southeast-6.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    unchecked_scanners = ["inspector2"]
  }

  override_data {
    target = data.aws_region.current
    values = { id = "ap-southeast-6" }
  }
}

run "trusted_advisor_in_another_region_than_its_own" {
  command = plan

  variables {
    scanners = ["inspector2", "trusted_advisor"]
  }

  expect_failures = [aws_cloudwatch_event_rule.scanner["trusted_advisor"]]
}

run "a_scanner_that_is_not_on_and_not_checked" {
  command = plan

  variables {
    unchecked_scanners = ["guardduty"]
  }

  expect_failures = [var.unchecked_scanners]
}

run "a_sweep_of_a_region_without_the_scanner" {
  command = plan

  variables {
    sweep = { regions = ["eu-central-1", "ap-southeast-6"] }
  }

  expect_failures = [aws_lambda_function.function["sweep"]]
}

run "a_partition_whose_names_are_others" {
  command = plan

  variables {
    image_uri = "111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    scanners  = ["security_hub"]
    sweep     = { scanners = ["securityhub"], regions = ["eusc-de-east-1"] }
  }

  override_data {
    target = data.aws_region.current
    values = { id = "eusc-de-east-1" }
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-eusc" }
  }
}

run "a_batch_that_lambda_does_not_gather" {
  command = plan

  variables {
    batch_size      = 100
    batching_window = 0
  }

  expect_failures = [var.batching_window]
}

run "fewer_receives_than_throttling_takes" {
  command = plan

  variables {
    maximum_receives = 3
  }

  expect_failures = [var.maximum_receives]
}

run "an_external_id_without_a_role" {
  command = plan

  variables {
    look_ups = { sources = true, external_id = "example-1" }
  }

  expect_failures = [var.look_ups]
}

run "observing_without_a_memory" {
  command = plan

  variables {
    memory = { enabled = false, mode = "observe" }
  }

  expect_failures = [var.memory]
}

run "a_role_that_nothing_would_use" {
  command = plan

  variables {
    look_ups = { role_name = "portcullis-look-ups" }
    memory   = { enabled = false }
  }

  expect_failures = [var.look_ups]
}

run "a_sweep_without_a_memory" {
  command = plan

  variables {
    memory = { enabled = false }
    sweep  = { enabled = true }
  }

  expect_failures = [var.sweep]
}

run "a_scanner_that_no_sweep_lists" {
  command = plan

  variables {
    sweep = { scanners = ["security_hub"] }
  }

  expect_failures = [var.sweep]
}

run "a_region_by_its_name" {
  command = plan

  variables {
    sweep = { regions = ["Frankfurt"] }
  }

  expect_failures = [var.sweep]
}

run "days_that_the_function_does_not_take" {
  command = plan

  variables {
    memory = { enabled = true }
    sweep  = { unused_days = 36501 }
  }

  expect_failures = [var.sweep]
}

run "a_sweep_that_no_alarm_could_miss" {
  command = plan

  variables {
    sweep = { every_hours = 12 }
  }

  expect_failures = [var.sweep]
}

run "a_subscription_without_endpoint" {
  command = plan

  variables {
    subscriptions = { netops = { protocol = "email", endpoint = "" } }
  }

  expect_failures = [var.subscriptions]
}

run "an_endpoint_of_another_protocol" {
  command = plan

  variables {
    subscriptions = { netops = { protocol = "sqs", endpoint = "https://example.com/hook" } }
  }

  expect_failures = [var.subscriptions]
}

run "a_protocol_that_sns_does_not_have" {
  command = plan

  variables {
    subscriptions = { netops = { protocol = "slack", endpoint = "https://example.com/hook" } }
  }

  expect_failures = [var.subscriptions]
}

run "an_alarm_to_a_queue_by_its_url" {
  command = plan

  variables {
    alarm_subscriptions = { on_call = { protocol = "sqs", endpoint = "https://sqs.eu-west-1.amazonaws.com/111122223333/on-call" } }
  }

  expect_failures = [var.alarm_subscriptions]
}

run "an_alarm_that_nobody_would_hear" {
  command = plan

  variables {
    alarm_subscriptions = {}
  }

  expect_failures = [check.alarms_are_heard]
}

run "one_key_for_alerts_and_alarms" {
  command = plan

  variables {
    alert_key     = { arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555" }
    alarm_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [var.alarm_key_arn]
}

run "a_key_of_another_region" {
  command = plan

  variables {
    alert_key = { arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555" }
  }

  expect_failures = [var.alert_key]
}

run "a_key_of_another_region_for_the_alarms" {
  command = plan

  variables {
    alarm_key_arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-4333-8444-555555555555"
  }

  expect_failures = [var.alarm_key_arn]
}

run "keys_that_are_in_several_regions" {
  command = plan

  variables {
    alert_key     = { arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab" }
    alarm_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-5678abcd12ab34cd56ef1234567890ab"
  }
}

run "an_alias_where_a_key_belongs" {
  command = plan

  variables {
    alert_key = { arn = "alias/alerts" }
  }

  expect_failures = [var.alert_key]
}
