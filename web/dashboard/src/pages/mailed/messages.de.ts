import type en from './messages.en';

const messages: typeof en = {
  incomplete: 'Ein Teil des Links fehlt. Öffnen Sie ihn noch einmal aus der Mail, oder kopieren Sie ihn ganz.',
  voidLink: 'Dieser Link wurde benutzt, ist zu alt oder durch einen anderen ersetzt. Fordern Sie einen neuen an.',
  goOn: 'Weiter',
  confirm: 'Bestätigen',
  signIn: 'Anmelden',
  verify: 'E-Mail-Adresse bestätigen',
  verifyText: 'Damit zeigen Sie, dass Post an diese Adresse Sie erreicht.',
  verified: 'Ihre E-Mail-Adresse ist bestätigt.',
  confirmEmail: 'Neue E-Mail-Adresse bestätigen',
  confirmEmailText: 'Von nun an melden Sie sich mit der Adresse an, an die diese Mail ging.',
  emailChanged: (email) => `Ihre E-Mail-Adresse ist jetzt ${email}.`,
  emailTaken: 'Diese Adresse gehört inzwischen zu einem anderen Konto.',
  reset: 'Neues Passwort setzen',
  newPassword: 'Neues Passwort',
  password: 'Passwort',
  passwordHint: 'Mindestens 12 Zeichen.',
  setPassword: 'Passwort setzen',
  wasReset: 'Ihr Passwort ist geändert. Alle Ihre Sitzungen wurden beendet.',
  accept: 'Einladung annehmen',
  acceptAs: (email) => `Sie sind angemeldet als ${email}.`,
  acceptIt: 'Annehmen',
  known: 'Sie haben schon ein Konto?',
  somebodyNew: 'Wenn nicht, braucht es einen Namen und ein Passwort.',
  name: 'Ihr Name',
  voidInvitation: 'Diese Einladung wurde benutzt oder zurückgenommen, oder sie ist zu alt. Bitten Sie um eine andere.',
  forAnother: 'Diese Einladung gilt einer anderen Adresse. Melden Sie sich mit der an, an die die Mail ging.',
  hasAccount: 'Zu dieser Adresse gibt es ein Konto, oder Sie sind schon Mitglied. Melden Sie sich zuerst an.',
};

export default messages;
