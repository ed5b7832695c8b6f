import type en from './messages.en';

const messages: typeof en = {
  title: 'Arbeitsbereiche',
  none: 'Sie gehören noch zu keinem Arbeitsbereich',
  noneText: 'Legen Sie einen an oder lassen Sie sich zu einem einladen.',
  yours: 'Ihre',
  name: 'Name',
  role: 'Ihre Rolle',
  roles: { VIEWER: 'Lesend', ANALYST: 'Auswertend', ADMIN: 'Verwaltend', OWNER: 'Inhaber' },
  make: 'Ein neuer Arbeitsbereich',
  slug: 'Name in Adressen',
  slugHint: 'Kleinbuchstaben, Ziffern und Bindestriche.',
  submit: 'Anlegen',
  taken: 'Dieser Name in Adressen ist vergeben.',
};

export default messages;
