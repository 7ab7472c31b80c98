"""The errors: mistakes that callers can fix, refusals by rules, and failures outside hostloom.

HostloomError
├── RequestError          the caller can fix the request
│   ├── InvalidValue         field, value, problem, allowed
│   │   ├── Conflict             and what it collides with
│   │   └── NotTogether          options that exclude each other
│   ├── ConstraintError      code, field, column, value, expected
│   ├── NotFound             kind, key, owner
│   │   └── PlanGone             kind, key
│   ├── AlreadyExists        kind, key, by
│   ├── AddressOnWire        ip, machine, nic, macs
│   ├── InUse                kind, key, by
│   ├── Stale                what the request was based on has changed
│   │   ├── StaleGeneration      kind, key, wanted, found
│   │   ├── WorldChanged         planned, current
│   │   ├── RoomTaken            host
│   │   ├── ReadMeanwhile        host
│   │   └── PlanTaken            plan
│   ├── IdempotencyConflict  key
│   ├── IdempotencyPending   key
│   ├── WrongState           kind, key, state, wanted
│   ├── MachineDiffers       machine, differences
│   ├── NothingFits          reasons
│   ├── PlanStale            plan, differences
│   ├── Cancelled
│   ├── NotAuthenticated
│   ├── DecisionTooLong      limit_s
│   ├── TooManyRequests      what, wait_s
│   ├── ReportRefused        a machine's report without leave
│   └── NotPermitted         who, action
├── Refused               a refusal by a rule, with its code and explanation
│   └── HostFull             subject, wanted, found
├── DriverError           a failure outside hostloom; `retryable`: trying again can help
│   ├── HostUnreachable      host, cause
│   ├── HostKeyUnknown       host, fingerprint
│   ├── HostKeyChanged       host, wanted, found
│   ├── HostRefused          host, cause (credentials, permissions)
│   ├── HostUnreadable       host, part, cause: it answered with what cannot be understood
│   ├── HostNotScannable     uri
│   ├── HypervisorRejected   host, action, cause
│   ├── OutcomeUnknown       host, action: a changing call ran out of time
│   ├── DhcpUnreachable      cause
│   ├── DhcpRejected         cause: Kea's own words
│   ├── ImageFailed          what, cause
│   ├── SeedDiskFailed       what, cause
│   ├── PowerUnreachable     address, cause
│   ├── PowerRefused         address, action, cause
│   └── PowerUnconfirmed     address, action, wanted, found, timeout_s
├── DatabaseUnavailable   trouble: the database is locked, full, read-only or gone
└── ConfigError           setting, value, problem, allowed

One module for each kind of error. No HTTP here: the faces map classes to statuses.
"""
