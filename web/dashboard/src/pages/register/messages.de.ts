import type en from './messages.en';

const messages: typeof en = {
  title: 'Registrieren',
  name: 'Ihr Name',
  email: 'E-Mail',
  password: 'Passwort',
  passwordHint: 'Mindestens 12 Zeichen und keines der gängigen.',
  submit: 'Registrieren',
  taken: 'Es gibt schon ein Konto mit dieser Adresse. Melden Sie sich an oder setzen Sie ein neues Passwort.',
  hasAccount: 'Sie haben ein Konto?',
  signIn: 'Anmelden',
};

export default messages;
