const messages = {
  title: 'Audit log',
  action: 'Action',
  from: 'From',
  to: 'To',
  show: 'Show',
  what: 'What',
  who: 'Who',
  kinds: { USER: 'person', API_KEY: 'API key', SYSTEM: 'Earful' },
  where: 'From where',
  when: 'When',
  change: 'Change',
  details: 'Details',
  before: 'Before',
  after: 'After',
  none: 'Nothing is written here',
  noneText: 'Changes of settings, members, keys and sources are; perhaps not with these filters.',
};

export default messages;
