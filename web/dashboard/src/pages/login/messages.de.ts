import type en from './messages.en';

const messages: typeof en = {
  title: 'Anmelden',
  email: 'E-Mail',
  password: 'Passwort',
  code: 'Code',
  codeHint: 'Sechs Ziffern Ihrer Authenticator-App oder ein Wiederherstellungscode.',
  submit: 'Anmelden',
  ended: 'Ihre Sitzung ist zu Ende. Melden Sie sich wieder an.',
  wrong: 'Die E-Mail-Adresse oder das Passwort ist falsch.',
  wrongCode: 'Der Code ist falsch oder wurde schon benutzt.',
  or: 'Oder',
  provider: (name) => `Anmelden mit ${name}`,
  forgotten: 'Passwort vergessen?',
  noAccount: 'Noch kein Konto?',
  register: 'Registrieren',
};

export default messages;
