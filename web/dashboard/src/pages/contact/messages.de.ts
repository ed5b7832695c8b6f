import type en from './messages.en';

const messages: typeof en = {
  title: 'Kontaktformular',
  write: 'Schreiben Sie uns',
  to: (workspace) => `Was Sie hier schreiben, geht als Mail an ${workspace}.`,
  name: 'Ihr Name',
  email: 'Ihre E-Mail-Adresse',
  emailHint: 'Dorthin wird Ihnen geantwortet.',
  message: 'Ihre Nachricht',
  send: 'Senden',
  nobody: 'Dieses Kontaktformular hat niemand. Prüfen Sie die Adresse.',
  another: 'Noch eine Nachricht schreiben',
  states: {
    QUEUED: 'Ihre Nachricht ist unterwegs. Sie können diese Seite schließen.',
    RUNNING: 'Ihre Nachricht wird zugestellt.',
    SUCCEEDED: 'Ihre Nachricht ist angekommen.',
    FAILED: 'Ihre Nachricht konnte nicht zugestellt werden. Versuchen Sie es auf anderem Weg.',
    CANCELLED: 'Ihre Nachricht wurde nicht zugestellt.',
  },
  thanked: (email) => `Eine Mail an ${email} bestätigt es.`,
  notThanked: (email) => `An ${email} ließ sich keine Mail schicken: Stimmt die Adresse?`,
  link: 'Das Formular',
  linkText:
    'Hier kann jeder diesem Arbeitsbereich schreiben, ohne Konto. Was geschrieben wird, kommt als Mail und wird nicht als Rückmeldung gespeichert.',
  copyLink: 'Adresse kopieren',
  open: 'Formular öffnen',
  inbox: 'Wer es bekommt',
  inboxIs: (email) => `Nachrichten gehen an ${email}.`,
  inboxOwners: 'Nachrichten gehen an die Inhaber dieses Arbeitsbereichs.',
  inboxEmail: 'E-Mail-Adresse',
  inboxHint: 'Leer: die Inhaber.',
  save: 'Speichern',
  saved: 'Gespeichert',
  sent: 'Bisherige Nachrichten',
  state: 'Stand',
  when: 'Wann',
  none: 'Noch keine Nachrichten',
  noneText:
    'Was Besucher schreiben, steht hier mit der Angabe, ob es zugestellt wurde; was darin steht, ist nur in der Mail.',
};

export default messages;
