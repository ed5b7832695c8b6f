/** The roles, and the least that may do each thing: as in domain/roles.py. */
export const ROLES = ['VIEWER', 'ANALYST', 'ADMIN', 'OWNER'] as const;
export type Role = (typeof ROLES)[number];

export const LEAST = {
  READ: 'VIEWER',
  LEAVE: 'VIEWER',
  SUBMIT_FEEDBACK: 'ANALYST',
  TAG_FEEDBACK: 'ANALYST',
  TRIAGE_FEEDBACK: 'ANALYST',
  WRITE_NOTES: 'ANALYST',
  SHARE_VIEWS: 'ANALYST',
  UPLOAD_FILES: 'ANALYST',
  IMPORT_FEEDBACK: 'ANALYST',
  EXPORT_FEEDBACK: 'ANALYST',
  MANAGE_WORKSPACE: 'ADMIN',
  MANAGE_SOURCES: 'ADMIN',
  MANAGE_ALERTS: 'ADMIN',
  MANAGE_WEBHOOKS: 'ADMIN',
  SCHEDULE_EXPORTS: 'ADMIN',
  UNDO_IMPORTS: 'ADMIN',
  MANAGE_NOTES: 'ADMIN',
  MANAGE_VIEWS: 'ADMIN',
  RESCORE_FEEDBACK: 'ADMIN',
  MANAGE_JOBS: 'ADMIN',
  MANAGE_API_KEYS: 'ADMIN',
  READ_AUDIT_LOG: 'ADMIN',
  REVEAL_FEEDBACK: 'ADMIN',
  MANAGE_PRIVACY: 'ADMIN',
  MANAGE_MEMBERS: 'ADMIN',
  MANAGE_OWNERS: 'OWNER',
} as const satisfies Record<string, Role>;

export type Action = keyof typeof LEAST;
export const ACTIONS = Object.keys(LEAST) as Action[];
