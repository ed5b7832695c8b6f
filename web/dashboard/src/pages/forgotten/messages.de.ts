import type en from './messages.en';

const messages: typeof en = {
  title: 'Ein neues Passwort',
  text: 'Wir schicken einen Link an Ihre Adresse, mit dem Sie ein anderes Passwort setzen.',
  email: 'E-Mail',
  submit: 'Link schicken',
  sent: (email) => `Wenn es zu ${email} ein Konto gibt, ist eine Mail unterwegs. Ihr Link gilt eine Stunde.`,
  back: 'Zurück zur Anmeldung',
};

export default messages;
