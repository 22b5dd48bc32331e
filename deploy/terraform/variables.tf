# Server

variable "name" {
  description = "Begins the names of what is made. Two of one account and region need two."
  type        = string
  default     = "ducklake-flight"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}$", var.name))
    error_message = "2 to 23 of a-z, 0-9 and -, beginning with a letter."
  }
}

variable "image" {
  description = "The image, with its tag or digest: ACCOUNT.dkr.ecr.REGION.amazonaws.com/ducklake-flight:TAG"
  type        = string
}

variable "architecture" {
  description = "The processor that the image was built for: X86_64 or ARM64."
  type        = string
  default     = "X86_64"
}

variable "cpu" {
  description = "Of one task, 1024 for a processor."
  type        = number
  default     = 2048
}

variable "memory" {
  description = "Of one task in MiB, one of those that Fargate has for this cpu. The engine takes 60 % of it."
  type        = number
  default     = 8192
}

variable "disk_gib" {
  description = "Of one task. The engine spills to it what its memory does not hold, up to 90 % of it."
  type        = number
  default     = 50

  validation {
    condition     = var.disk_gib >= 21 && var.disk_gib <= 200
    error_message = "Fargate has 21 to 200 GiB."
  }
}

variable "min_tasks" {
  description = "Two are in two availability zones."
  type        = number
  default     = 2
}

variable "max_tasks" {
  description = "The database has to have connections for all of them (docs/deploy.md, scaling)."
  type        = number
  default     = 6
}

variable "settings" {
  description = "Further settings of the server, by their keys in the README: { query_timeout = \"2h\" }. A change needs a new secret_version."
  type        = map(string)
  default     = {}
}

variable "flight_users" {
  description = "Who may log in. Hashes are those that 'ducklake-flight hash-password' prints. A change needs a new secret_version."
  type = list(object({
    name          = string
    password_hash = string
    role          = string
    grants        = optional(map(string))
  }))
  sensitive = true

  validation {
    condition     = length(var.flight_users) > 0
    error_message = "Nobody could log in."
  }
}

variable "secret_name" {
  description = "Of the secret with the server's settings."
  type        = string
  default     = "lokryn/ducklake/config"
}

variable "secret_version" {
  description = "Raise it to write the secret anew, with new passwords for the new database and for tokens."
  type        = number
  default     = 1
}

variable "tags" {
  description = "Of all that is made."
  type        = map(string)
  default     = {}
}

# Network

variable "vpc_id" {
  type = string
}

variable "task_subnet_ids" {
  description = "Two or more private subnets for tasks and database, which reach S3, Secrets Manager, ECR, CloudWatch Logs (and AWS Marketplace's metering) by NAT or VPC endpoints."
  type        = list(string)
}

variable "load_balancer_subnet_ids" {
  description = "Subnets of the load balancer, in the zones of the tasks; public ones if it faces the internet."
  type        = list(string)
}

variable "internet_facing" {
  type    = bool
  default = false
}

variable "client_cidrs" {
  description = "Addresses of the clients."
  type        = list(string)
  default     = ["10.0.0.0/8"]
}

variable "listener_port" {
  type    = number
  default = 443
}

variable "certificate_arn" {
  description = "Certificate of ACM for the load balancer's TLS listener. Without one the listener passes TCP through, and the server has to speak TLS itself (tls_certificate_file)."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn != null || (var.tls_certificate_file != null && var.tls_private_key_file != null)
    error_message = "Without it the server has to speak TLS, which needs tls_certificate_file and tls_private_key_file."
  }
}

variable "tls_policy" {
  description = "Versions and ciphers of the TLS listener."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}

variable "tls_certificate_file" {
  description = "Without certificate_arn, the PEM file in the image with the server's certificate."
  type        = string
  default     = null
}

variable "tls_private_key_file" {
  description = "The PEM file with its private key."
  type        = string
  default     = null
}

variable "idle_timeout_seconds" {
  description = "Without certificate_arn, when a silent connection is dropped. That of a TLS listener is 350 s always."
  type        = number
  default     = 350
}

# Data and catalog

variable "bucket_name" {
  description = "Of the new bucket; NAME-ACCOUNT-REGION where none is given."
  type        = string
  default     = null
}

variable "noncurrent_days" {
  description = "How long deleted and replaced objects can be restored. At least as long as the database's backups."
  type        = number
  default     = 30
}

variable "secret_key_arn" {
  description = "A KMS key of yours for the secret."
  type        = string
  default     = null
}

variable "bucket_key_arn" {
  description = "A KMS key of yours for the bucket. S3's own key is used without one."
  type        = string
  default     = null
}

variable "existing_database" {
  description = "A Postgres 12 or newer for the catalog. Its secret has username and password, JSON as RDS has it; its security group lets tasks in. An Aurora cluster is made where none is given."
  type = object({
    host              = string
    port              = optional(number, 5432)
    name              = string
    secret_arn        = string
    security_group_id = string
  })
  default = null
}

variable "database_version" {
  description = "Of Aurora PostgreSQL."
  type        = string
  default     = "17.5"
}

variable "database_instances" {
  description = "With two, the second takes over within a minute when the first one fails."
  type        = number
  default     = 2
}

variable "database_min_capacity" {
  description = "In Aurora's capacity units, 2 GiB of memory each."
  type        = number
  default     = 1
}

variable "database_max_capacity" {
  type    = number
  default = 8
}

variable "database_backup_days" {
  type    = number
  default = 14
}

# Operation

variable "maintenance_schedule" {
  description = "When 'maintain' runs, as EventBridge Scheduler writes it."
  type        = string
  default     = "rate(1 hour)"
}

variable "log_days" {
  type    = number
  default = 30
}

variable "alarm_topic_arn" {
  description = "An SNS topic that alarms are sent to."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Of database and load balancer."
  type        = bool
  default     = true
}

# AWS Marketplace

variable "marketplace_product_code" {
  type    = string
  default = null
}

variable "marketplace_public_key" {
  description = "The product's public key, PEM text or a file in the image."
  type        = string
  default     = null
}

variable "marketplace_usage_dimension" {
  type    = string
  default = null
}

variable "marketplace_usage_unit" {
  description = "query_seconds or gib_streamed."
  type        = string
  default     = "query_seconds"
}
