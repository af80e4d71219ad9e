# The function's own events: they come by the same bus, queue and function as reports, and the canary by the same topic.

locals {
  own_events = {
    heartbeat = { source = "portcullis.heartbeat", detail_type = "Heartbeat", every = "rate(5 minutes)" }
    canary    = { source = "portcullis.canary", detail_type = "Canary", every = "rate(1 hour)" }
  }

  bus_arn = "${local.arn}:events:${local.region}:${local.account}:event-bus/default"
}

resource "aws_scheduler_schedule_group" "own" {
  name = var.name
}

resource "aws_iam_role" "schedules" {
  name                 = "${var.name}-schedules"
  description          = "Lets the schedules of ${var.name} put their events on the bus."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = {
        ArnEquals    = { "aws:SourceArn" = aws_scheduler_schedule_group.own.arn }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_iam_role_policy" "schedules" {
  name = "schedules"
  role = aws_iam_role.schedules.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Bus"
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = [local.bus_arn]
    }]
  })
}

resource "aws_scheduler_schedule" "own" {
  for_each = local.own_events

  name                = each.key
  group_name          = aws_scheduler_schedule_group.own.name
  schedule_expression = each.value.every

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = local.bus_arn
    role_arn = aws_iam_role.schedules.arn
    input    = "{}"

    eventbridge_parameters {
      source      = each.value.source
      detail_type = each.value.detail_type
    }

    retry_policy {
      maximum_event_age_in_seconds = 300
      maximum_retry_attempts       = 2
    }
  }
}

resource "aws_cloudwatch_event_rule" "own" {
  name          = "${var.name}-own"
  description   = "The heartbeat and the canary of ${var.name}."
  event_pattern = jsonencode({ source = sort([for event in local.own_events : event.source]) })
}

resource "aws_cloudwatch_event_target" "own" {
  rule      = aws_cloudwatch_event_rule.own.name
  target_id = "events"
  arn       = aws_sqs_queue.events.arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_sqs_queue_policy.events, aws_sqs_queue_policy.undelivered]
}

# Nobody reads this queue: that something arrives in it is what counts.
resource "aws_sqs_queue" "canary" {
  name                      = "${var.name}-canary"
  message_retention_seconds = 3600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "canary" {
  queue_url = aws_sqs_queue.canary.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Alerts"
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "sns.amazonaws.com" }
      Resource  = aws_sqs_queue.canary.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.alerts.arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "canary" {
  topic_arn     = aws_sns_topic.alerts.arn
  protocol      = "sqs"
  endpoint      = aws_sqs_queue.canary.arn
  filter_policy = jsonencode({ canary = [{ exists = true }] })

  depends_on = [aws_sqs_queue_policy.canary]
}
