# The wiring, with a provider that makes nothing: `terraform init && terraform test` in the module's folder.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/portcullis" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:portcullis" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/portcullis" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/portcullis-memory" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:111122223333:rule/portcullis" }
  }
}

override_resource {
  target = aws_sns_topic.alerts
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:portcullis-alerts" }
}

override_resource {
  target = aws_sns_topic.alarms
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:portcullis-alarms" }
}

override_resource {
  target = aws_sqs_queue.input["events"]
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:portcullis-events" }
}

override_resource {
  target = aws_sqs_queue.input["sweep"]
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/portcullis-sweep" }
}

override_resource {
  target = aws_lambda_function.function["sweep"]
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:portcullis-sweep" }
}

override_resource {
  target = aws_cloudwatch_log_group.function["sweep"]
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/portcullis-sweep" }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:portcullis-dead-letters" }
}

override_resource {
  target = aws_sqs_queue.undelivered
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:portcullis-undelivered" }
}

override_resource {
  target = aws_cloudwatch_event_rule.scanner
  values = { arn = "arn:aws:events:eu-west-1:111122223333:rule/portcullis-scanner" }
}

override_resource {
  target = aws_cloudwatch_event_rule.own
  values = { arn = "arn:aws:events:eu-west-1:111122223333:rule/portcullis-own" }
}

override_resource {
  target = aws_sqs_queue.canary
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:portcullis-canary" }
}

override_resource {
  target = aws_scheduler_schedule_group.own
  values = { arn = "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/portcullis" }
}

variables {
  image_uri           = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  alarm_subscriptions = { on_call = { protocol = "email", endpoint = "on-call@example.com" } }
}

run "an_event_comes_by_the_queue_and_rests_in_a_dead_letter_queue" {
  assert {
    condition     = alltrue([for target in concat(values(aws_cloudwatch_event_target.scanner), [aws_cloudwatch_event_target.own]) : target.arn == aws_sqs_queue.input["events"].arn && target.dead_letter_config[0].arn == aws_sqs_queue.undelivered.arn])
    error_message = "Every rule sends to the queue, and has a dead-letter queue."
  }

  assert {
    condition     = keys(aws_cloudwatch_event_rule.scanner) == ["inspector2", "security_hub"]
    error_message = "By default Inspector and Security Hub are judged."
  }

  assert {
    condition = alltrue([for policy in aws_sqs_queue_policy.rules : alltrue([
      for statement in jsondecode(policy.policy).Statement :
      statement.Principal == { Service = "events.amazonaws.com" } && statement.Action == "sqs:SendMessage" && length(statement.Condition.ArnEquals["aws:SourceArn"]) > 0
    ])])
    error_message = "The queues admit the rules of this module and nobody else."
  }
}

run "each_function_polls_its_own_queue_and_gives_single_records_back" {
  assert {
    condition = { for key, mapping in aws_lambda_event_source_mapping.input : key => [
      mapping.event_source_arn, mapping.function_name, join(",", mapping.function_response_types), mapping.batch_size, mapping.scaling_config[0].maximum_concurrency
      ] } == {
      events = ["arn:aws:sqs:eu-west-1:111122223333:portcullis-events", "arn:aws:lambda:eu-west-1:111122223333:function:portcullis", "ReportBatchItemFailures", 100, 5]
      sweep  = ["arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep", "arn:aws:lambda:eu-west-1:111122223333:function:portcullis-sweep", "ReportBatchItemFailures", 1, 5]
    }
    error_message = "Events come in batches, sweeps one at a time, each by a queue that limits how many invocations there are."
  }

  assert {
    condition = alltrue([for key, queue in aws_sqs_queue.input : jsondecode(queue.redrive_policy) == {
      deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
      maxReceiveCount     = 5
    }])
    error_message = "A message rests in the dead-letter queue after 5 receives."
  }

  assert {
    condition     = { for key, function in aws_lambda_function.function : key => [function.timeout, aws_sqs_queue.input[key].visibility_timeout_seconds] } == { events = [60, 370], sweep = [900, 5400] }
    error_message = "A message stays invisible for six timeouts after it was gathered, and a sweep has the most time that Lambda gives."
  }

  assert {
    condition = (
      aws_lambda_function.function["events"].environment == aws_lambda_function.function["sweep"].environment
      && aws_lambda_function.function["events"].image_uri == aws_lambda_function.function["sweep"].image_uri
      && aws_lambda_function.function["events"].role == aws_lambda_function.function["sweep"].role
    )
    error_message = "Both are one image, told the same, with one role."
  }
}

run "heartbeat_and_canary_come_by_the_way_of_reports_and_the_sweep_by_its_own" {
  assert {
    condition = { for name, schedule in aws_scheduler_schedule.own : name => [schedule.schedule_expression, schedule.target[0].arn, schedule.target[0].eventbridge_parameters[0].source] if name != "sweep" } == {
      canary    = ["rate(1 hour)", "arn:aws:events:eu-west-1:111122223333:event-bus/default", "portcullis.canary"]
      heartbeat = ["rate(5 minutes)", "arn:aws:events:eu-west-1:111122223333:event-bus/default", "portcullis.heartbeat"]
    }
    error_message = "The schedules put heartbeat and canary on the bus."
  }

  assert {
    condition = [for schedule in [aws_scheduler_schedule.own["sweep"]] : [schedule.schedule_expression, schedule.target[0].arn, jsondecode(schedule.target[0].input), length(schedule.target[0].eventbridge_parameters)]] == [
      ["rate(60 minutes)", "arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep", { source = "portcullis.sweep" }, 0]
    ]
    error_message = "The sweep's schedule puts its event into the sweep's queue."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.own.event_pattern) == { source = ["portcullis.canary", "portcullis.heartbeat"] } && aws_cloudwatch_event_target.own.arn == aws_sqs_queue.input["events"].arn
    error_message = "Their rule sends them to the queue of the events."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.schedules.policy).Statement : statement.Sid => [statement.Action, statement.Resource] } == {
      Bus   = [["events:PutEvents"], ["arn:aws:events:eu-west-1:111122223333:event-bus/default"]]
      Sweep = [["sqs:SendMessage"], ["arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep"]]
    }
    error_message = "The schedules may put events on the bus and into the sweep's queue, and no more."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.canary.filter_policy) == { canary = [{ exists = true }] } && aws_sns_topic_subscription.canary.endpoint == aws_sqs_queue.canary.arn
    error_message = "The canary's message ends in a queue of its own."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.canary.policy).Statement[0].Condition == { ArnEquals = { "aws:SourceArn" = aws_sns_topic.alerts.arn } }
    error_message = "The canary's queue admits the topic of the alerts and nobody else."
  }
}

run "every_alarm_reaches_the_topic_of_the_alarms" {
  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.alarm), values(aws_cloudwatch_metric_alarm.compared)) :
      alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])
    ])
    error_message = "Every alarm is told when it begins and when it ends, on the topic of the alarms."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.alarm : name if alarm.treat_missing_data == "breaching"] == ["canary", "no-sweep", "silence"]
    error_message = "Silence is an alarm where something must be heard."
  }
}

run "alerts_and_alarms_do_not_share_a_key" {
  assert {
    condition     = aws_sns_topic.alerts.kms_master_key_id == aws_kms_key.alerts[0].arn && aws_sns_topic.alarms.kms_master_key_id == null
    error_message = "The alerts are encrypted with a key of their own, the alarms without it."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_policy.alarms.policy).Statement[0].Principal == { Service = "cloudwatch.amazonaws.com" }
    error_message = "CloudWatch may publish alarms."
  }
}

run "by_default_the_role_may_what_an_alert_the_memory_and_the_sweep_need" {
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid => [statement.Action, statement.Resource] } == {
      Alerts                   = [["sns:Publish"], ["arn:aws:sns:eu-west-1:111122223333:portcullis-alerts"]]
      KeyOfTheAlerts           = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"]]
      Log                      = [["logs:CreateLogStream", "logs:PutLogEvents"], ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/portcullis:*", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/portcullis-sweep:*"]]
      Queues                   = [["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], ["arn:aws:sqs:eu-west-1:111122223333:portcullis-events", "arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep"]]
      Memory                   = [["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:PutItem", "dynamodb:Scan"], ["arn:aws:dynamodb:eu-west-1:111122223333:table/portcullis-memory"]]
      Sweep                    = [["dynamodb:Query"], ["arn:aws:dynamodb:eu-west-1:111122223333:table/portcullis-memory"]]
      SweepByAccountAndRegion  = [["sqs:SendMessage"], ["arn:aws:sqs:eu-west-1:111122223333:portcullis-sweep"]]
      Listings                 = [["inspector2:BatchGetAccountStatus", "inspector2:ListCoverage", "inspector2:ListFindings", "inspector2:ListMembers"], ["*"]]
      FindingsThatAreOnlyNamed = [["inspector2:ListFindings"], ["*"]]
    }
    error_message = "The role has an action too many or too few, or on another resource."
  }

  assert {
    condition     = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Lambda alone may assume the role."
  }
}

run "without_memory_and_security_hub_the_role_may_less" {
  variables {
    scanners = ["inspector2"]
    memory   = { enabled = false }
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid] == ["Alerts", "KeyOfTheAlerts", "Log", "Queues"]
    error_message = "What is off has no permission."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.function["events"].environment[0].variables), "MEMORY_TABLE") && length(aws_dynamodb_table.memory) == 0
    error_message = "Without a memory there is no table, and the function knows of none."
  }
}

run "without_a_memory_there_is_no_sweep" {
  variables {
    memory = { enabled = false }
  }

  assert {
    condition     = [for made in [aws_sqs_queue.input, aws_lambda_function.function, aws_lambda_event_source_mapping.input, aws_cloudwatch_log_group.function] : keys(made)] == [["events"], ["events"], ["events"], ["events"]]
    error_message = "There is neither a function nor a queue of the sweep."
  }

  assert {
    condition     = keys(aws_scheduler_schedule.own) == ["canary", "heartbeat"] && length([for name in keys(aws_cloudwatch_metric_alarm.alarm) : name if strcontains(name, "sweep")]) == 0
    error_message = "Nothing asks for a sweep, and none is missed."
  }
}

run "each_scanner_that_is_listed_adds_its_own_actions" {
  variables {
    scanners = ["guardduty"]
    sweep    = { scanners = ["securityhub-v2", "securityhub"], regions = ["us-east-1", "eu-central-1"], untold_days = 7, expiring_days = 30, unused_days = 0 }
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Action if statement.Sid == "Listings"] == [
      ["inspector2:ListFindings", "securityhub:DescribeHub", "securityhub:DescribeSecurityHubV2", "securityhub:GetFindings", "securityhub:ListMembers"]
    ]
    error_message = "The two Hubs need these actions, and ask Inspector for its findings."
  }

  assert {
    condition = { for name, value in aws_lambda_function.function["sweep"].environment[0].variables : name => value if startswith(name, "SWEEP_") } == {
      SWEEP_SCANNERS      = "securityhub,securityhub-v2"
      SWEEP_REGIONS       = "eu-central-1,us-east-1"
      SWEEP_UNTOLD_DAYS   = "7"
      SWEEP_EXPIRING_DAYS = "30"
      SWEEP_UNUSED_DAYS   = "0"
      SWEEP_QUEUE_URL     = "https://sqs.eu-west-1.amazonaws.com/111122223333/portcullis-sweep"
    }
    error_message = "The function is told what is listed, and by which queue."
  }
}

run "a_sweep_that_lists_nothing_may_list_nothing" {
  variables {
    scanners = ["guardduty"]
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid] == ["Alerts", "KeyOfTheAlerts", "Log", "Queues", "Memory", "Sweep", "SweepByAccountAndRegion"]
    error_message = "Inspector's findings are listed where its events are judged."
  }
}

run "each_look_up_adds_its_own_actions" {
  variables {
    look_ups = { tags = "missing", groups = true, role_name = "portcullis-look-ups", external_id = "example-1" }
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Sid => [statement.Action, statement.Resource] if contains(["LookUps", "OtherAccounts"], statement.Sid) } == {
      LookUps       = [["ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces"], ["*"]]
      OtherAccounts = [["sts:AssumeRole"], ["arn:aws:iam::*:role/portcullis-look-ups"]]
    }
    error_message = "Tags and groups need two actions, other accounts the role of that name."
  }

  assert {
    condition = { for name, value in aws_lambda_function.function["events"].environment[0].variables : name => value if startswith(name, "LOOK_UP_") } == {
      LOOK_UP_SOURCES     = "false"
      LOOK_UP_TAGS        = "missing"
      LOOK_UP_GROUPS      = "true"
      LOOK_UP_CONTAINERS  = "false"
      LOOK_UP_ROLE_NAME   = "portcullis-look-ups"
      LOOK_UP_EXTERNAL_ID = "example-1"
    }
    error_message = "The function is told what is looked up."
  }
}

run "a_subscription_filters_by_team_and_severity_and_never_gets_the_canary" {
  variables {
    subscriptions = {
      netops = { protocol = "email", endpoint = "netops@example.com", teams = ["netops"], severities = ["critical", "high"] }
      all    = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:tickets" }
    }
  }

  assert {
    condition = { for name, entry in aws_sns_topic_subscription.alerts : name => jsondecode(entry.filter_policy) } == {
      netops = { canary = [{ exists = false }], team = ["netops", "more"], severity = ["critical", "high", "more"] }
      all    = { canary = [{ exists = false }] }
    }
    error_message = "A filter has the named teams and severities, lists that were cut, and no canary."
  }
}

run "an_output_tells_which_subscriptions_are_to_be_confirmed" {
  variables {
    subscriptions = {
      all    = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:tickets" }
      hook   = { protocol = "https", endpoint = "https://example.com/hook" }
      netops = { protocol = "email", endpoint = "netops@example.com" }
    }
  }

  override_resource {
    target = aws_sns_topic_subscription.alerts["hook"]
    values = { pending_confirmation = true }
  }

  assert {
    condition = output.subscriptions_to_confirm == {
      "arn:aws:sns:eu-west-1:111122223333:portcullis-alerts" = ["https://example.com/hook", "netops@example.com"]
      "arn:aws:sns:eu-west-1:111122223333:portcullis-alarms" = ["on-call@example.com"]
    }
    error_message = "Each endpoint is named with its topic, as the command needs it."
  }
}

run "the_table_forgets_and_can_be_restored" {
  assert {
    condition = (
      aws_dynamodb_table.memory[0].hash_key == "pk" && aws_dynamodb_table.memory[0].range_key == "sk"
      && aws_dynamodb_table.memory[0].ttl[0].attribute_name == "expires" && aws_dynamodb_table.memory[0].ttl[0].enabled
      && aws_dynamodb_table.memory[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.memory[0].server_side_encryption[0].enabled
    )
    error_message = "The table has the memory's keys, expiry, recovery and encryption."
  }
}
