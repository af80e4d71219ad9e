locals {
  graphs = {
    "Reports"            = [for name in ["received", "decided", "denied", "undecidable", "closed", "ignored"] : ["Portcullis", name, "function", var.name]]
    "Alerts"             = [["Portcullis", "alerts", "function", var.name], ["AWS/SNS", "NumberOfNotificationsDelivered", "TopicName", aws_sns_topic.alerts.name], ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", aws_sns_topic.alerts.name]]
    "Events that wait"   = [for queue in [aws_sqs_queue.events, aws_sqs_queue.dead_letters, aws_sqs_queue.undelivered] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { stat = "Maximum" }]]
    "What went wrong"    = [for name in ["failed", "problems", "look_up_failures", "opa_restarts"] : ["Portcullis", name, "function", var.name]]
    "Milliseconds"       = [["Portcullis", "ms", "function", var.name, { stat = "p50" }], ["Portcullis", "ms", "function", var.name, { stat = "p99" }]]
    "The function"       = [for name in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", name, "FunctionName", var.name]]
    "Heartbeats, canary" = [["Portcullis", "heartbeats", "function", var.name], ["AWS/SQS", "NumberOfMessagesSent", "QueueName", aws_sqs_queue.canary.name]]
  }
}

resource "aws_cloudwatch_dashboard" "portcullis" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for title, metrics in local.graphs : {
      type   = "metric"
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = local.region
        metrics = metrics
        stat    = "Sum"
        period  = 300
      }
    }]
  })
}
