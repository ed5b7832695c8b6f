const messages = {
  title: 'Workspaces',
  none: 'You belong to no workspace yet',
  noneText: 'Make one, or ask somebody to invite you to theirs.',
  yours: 'Yours',
  name: 'Name',
  role: 'Your role',
  roles: { VIEWER: 'Viewer', ANALYST: 'Analyst', ADMIN: 'Admin', OWNER: 'Owner' },
  make: 'A new workspace',
  slug: 'Name in addresses',
  slugHint: 'Lower-case letters, digits and hyphens.',
  submit: 'Make it',
  taken: 'This name in addresses is taken.',
};

export default messages;
