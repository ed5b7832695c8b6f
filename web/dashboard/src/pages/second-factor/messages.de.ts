import type en from './messages.en';

const messages: typeof en = {
  title: 'Noch ein Code',
  code: 'Code',
  hint: 'Sechs Ziffern Ihrer Authenticator-App oder ein Wiederherstellungscode.',
  submit: 'Anmelden',
  wrong: 'Der Code ist falsch oder schon benutzt, oder es sind mehr als zehn Minuten vergangen: dann beginnen Sie neu.',
  late: 'Das hat zu lange gedauert. Beginnen Sie neu.',
  anew: 'Neu beginnen',
};

export default messages;
