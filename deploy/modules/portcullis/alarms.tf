resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.alarm_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CloudWatch"
      Effect    = "Allow"
      Action    = "sns:Publish"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Resource  = aws_sns_topic.alarms.arn
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.arn}:cloudwatch:${local.region}:${local.account}:alarm:${var.name}-*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
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
    error_message = "Nobody is named in alarm_subscriptions: if the function goes deaf, whoever is on call does not hear of it. Name them there, or subscribe them to ${aws_sns_topic.alarms.name} yourself."
  }
}

# A metric is written as on the dashboard: namespace, name, dimension and its value. What each alarm means, and what to
# do, is in docs/runbook.md under the heading of the same words.
locals {
  swept = "${var.name}-sweep"

  alarms = merge(
    {
      dead-letters         = { metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead_letters.name], statistic = "Maximum" }
      undelivered-events   = { metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.undelivered.name], statistic = "Maximum" }
      old-events           = { metric = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.input["events"].name], statistic = "Maximum", above = 1800 }
      errors               = { metric = ["AWS/Lambda", "Errors", "FunctionName", var.name], periods = 3, datapoints = 2 }
      throttles            = { metric = ["AWS/Lambda", "Throttles", "FunctionName", var.name], periods = 3 }
      failed-notifications = { metric = ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", aws_sns_topic.alerts.name] }
      invalid-attributes   = { metric = ["AWS/SNS", "NumberOfNotificationsFilteredOut-InvalidAttributes", "TopicName", aws_sns_topic.alerts.name] }
      silence              = { metric = ["Portcullis", "heartbeats", "function", var.name], period = 900, below = 1 }
      canary               = { metric = ["AWS/SQS", "NumberOfMessagesSent", "QueueName", aws_sqs_queue.canary.name], period = 3600, periods = 2, below = 1 }
    },
    { for name, alarm in {
      sweep-errors      = { metric = ["AWS/Lambda", "Errors", "FunctionName", local.swept], datapoints = 2 }
      no-sweep          = { metric = ["Portcullis", "sweeps", "function", local.swept], below = 1 }
      incomplete-sweeps = { metric = ["Portcullis", "sweep_problems", "function", local.swept] }
    } : name => merge({ period = 3600 * var.sweep.every_hours, periods = 3 }, alarm) if local.sweeps },
  )

  compared = {
    nobody-hears = {
      label      = "Alerts were sent, and nothing but the canary was delivered"
      expression = "IF(${join(" + ", [for key in keys(local.functions) : "FILL(${key}, 0)"])} > 0 AND FILL(delivered, 0) <= FILL(canary, 0), 1, 0)"
      period     = 3600
      metrics = merge(
        { for key, function in local.functions : key => ["Portcullis", "alerts", "function", function.name] },
        {
          delivered = ["AWS/SNS", "NumberOfNotificationsDelivered", "TopicName", aws_sns_topic.alerts.name]
          canary    = ["AWS/SQS", "NumberOfMessagesSent", "QueueName", aws_sqs_queue.canary.name]
        },
      )
    }
    nothing-decided = {
      label      = "Reports came for a day, and none was decided"
      expression = "IF(FILL(received, 0) > 0 AND FILL(decided, 0) == 0, 1, 0)"
      period     = 86400
      metrics    = { for name in ["received", "decided"] : name => ["Portcullis", name, "function", var.name] }
    }
  }
}

# Where something must not be missing (`below`), missing data is the alarm; elsewhere it is the good case.
resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "docs/runbook.md#${each.key}"
  namespace           = each.value.metric[0]
  metric_name         = each.value.metric[1]
  dimensions          = { (each.value.metric[2]) = each.value.metric[3] }
  statistic           = try(each.value.statistic, "Sum")
  period              = try(each.value.period, 300)
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.datapoints, each.value.periods, 1)
  threshold           = try(each.value.below, each.value.above, 0)
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  treat_missing_data  = can(each.value.below) ? "breaching" : "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "compared" {
  for_each = local.compared

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "docs/runbook.md#${each.key}"
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "alarm"
    label       = each.value.label
    expression  = each.value.expression
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value[0]
        metric_name = metric_query.value[1]
        dimensions  = { (metric_query.value[2]) = metric_query.value[3] }
        stat        = "Sum"
        period      = each.value.period
      }
    }
  }
}
