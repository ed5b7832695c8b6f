import type en from './messages.en';

const messages: typeof en = {
  title: 'Protokoll',
  action: 'Aktion',
  from: 'Von',
  to: 'Bis',
  show: 'Zeigen',
  what: 'Was',
  who: 'Wer',
  kinds: { USER: 'Person', API_KEY: 'API-Schlüssel', SYSTEM: 'Earful' },
  where: 'Von wo',
  when: 'Wann',
  change: 'Änderung',
  details: 'Einzelheiten',
  before: 'Vorher',
  after: 'Nachher',
  none: 'Hier steht nichts',
  noneText:
    'Änderungen an Einstellungen, Mitgliedern, Schlüsseln und Quellen stehen hier; vielleicht nicht bei diesen Filtern.',
};

export default messages;
