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

locals {
  # What each means, and what to do, is in docs/runbook.md under the heading of the same words.
  alarms = {
    dead-letters = {
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = aws_sqs_queue.dead_letters.name }
      statistic  = "Maximum"
    }
    undelivered-events = {
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = aws_sqs_queue.undelivered.name }
      statistic  = "Maximum"
    }
    old-events = {
      namespace  = "AWS/SQS"
      metric     = "ApproximateAgeOfOldestMessage"
      dimensions = { QueueName = aws_sqs_queue.events.name }
      statistic  = "Maximum"
      above      = 1800
    }
    errors = {
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = { FunctionName = aws_lambda_function.portcullis.function_name }
      statistic  = "Sum"
      periods    = 3
      datapoints = 2
    }
    throttles = {
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = { FunctionName = aws_lambda_function.portcullis.function_name }
      statistic  = "Sum"
      periods    = 3
      datapoints = 3
    }
    failed-notifications = {
      namespace  = "AWS/SNS"
      metric     = "NumberOfNotificationsFailed"
      dimensions = { TopicName = aws_sns_topic.alerts.name }
      statistic  = "Sum"
    }
    invalid-attributes = {
      namespace  = "AWS/SNS"
      metric     = "NumberOfNotificationsFilteredOut-InvalidAttributes"
      dimensions = { TopicName = aws_sns_topic.alerts.name }
      statistic  = "Sum"
    }
    silence = {
      namespace  = "Portcullis"
      metric     = "heartbeats"
      dimensions = { function = aws_lambda_function.portcullis.function_name }
      statistic  = "Sum"
      period     = 900
      below      = 1
    }
    canary = {
      namespace  = "AWS/SQS"
      metric     = "NumberOfMessagesSent"
      dimensions = { QueueName = aws_sqs_queue.canary.name }
      statistic  = "Sum"
      period     = 3600
      periods    = 2
      datapoints = 2
      below      = 1
    }
  }
}

# Where something must not be missing (`below`), missing data is the alarm; elsewhere it is the good case.
resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "docs/runbook.md#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = try(each.value.period, 300)
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.datapoints, 1)
  threshold           = try(each.value.below, each.value.above, 0)
  comparison_operator = can(each.value.below) ? "LessThanThreshold" : "GreaterThanThreshold"
  treat_missing_data  = can(each.value.below) ? "breaching" : "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "nobody_hears" {
  alarm_name          = "${var.name}-nobody-hears"
  alarm_description   = "docs/runbook.md#nobody-hears"
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "unheard"
    label       = "Alerts were sent, and nothing but the canary was delivered"
    expression  = "IF(FILL(alerts, 0) > 0 AND FILL(delivered, 0) <= FILL(canary, 0), 1, 0)"
    return_data = true
  }

  metric_query {
    id = "alerts"

    metric {
      namespace   = "Portcullis"
      metric_name = "alerts"
      dimensions  = { function = aws_lambda_function.portcullis.function_name }
      stat        = "Sum"
      period      = 3600
    }
  }

  metric_query {
    id = "delivered"

    metric {
      namespace   = "AWS/SNS"
      metric_name = "NumberOfNotificationsDelivered"
      dimensions  = { TopicName = aws_sns_topic.alerts.name }
      stat        = "Sum"
      period      = 3600
    }
  }

  metric_query {
    id = "canary"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfMessagesSent"
      dimensions  = { QueueName = aws_sqs_queue.canary.name }
      stat        = "Sum"
      period      = 3600
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "nothing_decided" {
  alarm_name          = "${var.name}-nothing-decided"
  alarm_description   = "docs/runbook.md#nothing-decided"
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "undecided"
    label       = "Reports came for a day, and none was decided"
    expression  = "IF(FILL(received, 0) > 0 AND FILL(decided, 0) == 0, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "received"

    metric {
      namespace   = "Portcullis"
      metric_name = "received"
      dimensions  = { function = aws_lambda_function.portcullis.function_name }
      stat        = "Sum"
      period      = 86400
    }
  }

  metric_query {
    id = "decided"

    metric {
      namespace   = "Portcullis"
      metric_name = "decided"
      dimensions  = { function = aws_lambda_function.portcullis.function_name }
      stat        = "Sum"
      period      = 86400
    }
  }
}
