data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region       = data.aws_region.current.id
  home_bus_arn = "arn:${data.aws_partition.current.partition}:events:${var.home_region}:${data.aws_caller_identity.current.account_id}:event-bus/default"
  endpoints    = jsondecode(file("${path.module}/../../endpoints.json"))

  absent = merge(
    jsondecode(file("${path.module}/../../absent.json")),
    { trusted_advisor = local.region == "us-east-1" || data.aws_partition.current.partition != "aws" ? [] : [local.region] },
  )
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Rules"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "events.amazonaws.com" }
      Resource  = aws_sqs_queue.undelivered.arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.scanner : rule.arn] } }
    }]
  })
}

resource "aws_iam_role" "forward" {
  name        = "${var.name}-${local.region}"
  description = "Lets EventBridge send the reports of ${local.region} to ${var.home_region}."

  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "forward" {
  name = "forward"
  role = aws_iam_role.forward.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "HomeBus"
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = [local.home_bus_arn]
    }]
  })
}

resource "aws_cloudwatch_event_rule" "scanner" {
  for_each = var.scanners

  name          = "${var.name}-${replace(each.key, "_", "-")}"
  description   = "Reports of ${each.key} for the function in ${var.home_region}."
  event_pattern = jsonencode(jsondecode(file("${path.module}/../../patterns/${each.key}.json")))

  lifecycle {
    precondition {
      condition     = contains(var.unchecked_scanners, each.key) || !contains(local.absent[each.key], local.region)
      error_message = "No events of ${each.key} are sent in ${local.region}: take it out of scanners. If AWS has it here by now, name it in unchecked_scanners."
    }
  }
}

resource "aws_cloudwatch_event_target" "scanner" {
  for_each = var.scanners

  rule      = aws_cloudwatch_event_rule.scanner[each.key].name
  target_id = "home"
  arn       = local.home_bus_arn
  role_arn  = aws_iam_role.forward.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_iam_role_policy.forward, aws_sqs_queue_policy.undelivered]
}

# An alarm takes a topic of its own Region only.
resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_subscriptions

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

# A warning, for somebody may be subscribed to the topic by other means.
check "alarms_are_heard" {
  assert {
    condition     = length(var.alarm_subscriptions) > 0
    error_message = "Nobody is named in alarm_subscriptions: if the events of ${local.region} cannot be sent, whoever is on call does not hear of it. Name them there, or subscribe them to ${aws_sns_topic.alarms.name} yourself."
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${var.name}-undelivered"
  alarm_description   = "EventBridge could not send events to ${var.home_region}. docs/runbook.md#undelivered-events"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.undelivered.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
