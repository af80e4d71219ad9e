# The function's own events. Heartbeat and canary come by the same bus, queue and function as reports, and the canary by
# the same topic; the sweep has a queue of its own.

locals {
  bus_arn = "${local.arn}:events:${local.region}:${local.account}:event-bus/default"

  on_the_bus = { heartbeat = "rate(5 minutes)", canary = "rate(1 hour)" }

  schedules = merge(
    { for name, every in local.on_the_bus : name => { every = every, to = local.bus_arn, input = "{}", bus = [title(name)] } },
    { for name in ["sweep"] : name => {
      every = "rate(${60 * var.sweep.every_hours} minutes)"
      to    = aws_sqs_queue.input[name].arn
      input = jsonencode({ source = "portcullis.sweep" })
      bus   = []
    } if local.sweeps },
  )
}

resource "aws_scheduler_schedule_group" "own" {
  name = var.name
}

resource "aws_iam_role" "schedules" {
  name                 = "${var.name}-schedules"
  description          = "Lets the schedules of ${var.name} send their events."
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
    Statement = concat(
      [{
        Sid      = "Bus"
        Effect   = "Allow"
        Action   = ["events:PutEvents"]
        Resource = [local.bus_arn]
      }],
      [for key in ["sweep"] : {
        Sid      = "Sweep"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [aws_sqs_queue.input[key].arn]
      } if local.sweeps],
    )
  })
}

resource "aws_scheduler_schedule" "own" {
  for_each = local.schedules

  name                = each.key
  group_name          = aws_scheduler_schedule_group.own.name
  schedule_expression = each.value.every

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = each.value.to
    role_arn = aws_iam_role.schedules.arn
    input    = each.value.input

    dynamic "eventbridge_parameters" {
      for_each = each.value.bus

      content {
        source      = "portcullis.${each.key}"
        detail_type = eventbridge_parameters.value
      }
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
  event_pattern = jsonencode({ source = [for name in keys(local.on_the_bus) : "portcullis.${name}"] })
}

resource "aws_cloudwatch_event_target" "own" {
  rule      = aws_cloudwatch_event_rule.own.name
  target_id = "events"
  arn       = aws_sqs_queue.input["events"].arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  depends_on = [aws_sqs_queue_policy.rules]
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
