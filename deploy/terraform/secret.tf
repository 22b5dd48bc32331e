# What the server reads at its start, and each minute.

# One for all tasks: logins, tickets and prepared queries of one server are good at all of them.
ephemeral "aws_secretsmanager_random_password" "token" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "config" {
  name        = var.secret_name
  description = "${var.name}: settings of the server"
  kms_key_id  = var.secret_key_arn
}

resource "aws_secretsmanager_secret_version" "config" {
  secret_id                = aws_secretsmanager_secret.config.id
  secret_string_wo_version = var.secret_version

  secret_string_wo = jsonencode(merge(var.settings, {
    postgres_host       = local.postgres_host
    postgres_port       = local.postgres_port
    postgres_user       = local.postgres_user
    postgres_password   = local.postgres_password
    postgres_db         = local.postgres_db
    postgres_sslmode    = "require"
    s3_bucket_url       = "s3://${local.bucket}"
    aws_region          = local.region
    flight_token_secret = ephemeral.aws_secretsmanager_random_password.token.random_password
    flight_users = jsonencode([
      for user in var.flight_users : { for key, value in user : key => value if value != null }
    ])
  }))
}
