import type en from './messages.en';

const messages: typeof en = {
  title: 'Verbrauch',
  refresh: 'Neu laden',
  requests: 'Ihre Anfragen',
  left: 'Übrige Punkte',
  ofLimit: (left, limit) => `${left} von ${limit}`,
  full: 'Alle sind wieder da',
  requestsText:
    'Ein Vorgang kostet Punkte nach dem, was er verlangt; binnen einer Minute kommen sie wieder. Jede Person und jeder API-Schlüssel hat eigene.',
  room: 'Was dieser Arbeitsbereich hat',
  thing: 'Was',
  number: 'Anzahl',
  limit: 'Höchstens',
  taken: 'Belegt',
  things: {
    keys: 'API-Schlüssel',
    webhooks: 'Webhooks',
    rules: 'Alarmregeln',
    schedules: 'Exporte per Mail',
    sources: 'Quellen',
    members: 'Mitglieder',
    feedback: 'Rückmeldungen der letzten 30 Tage',
  },
  unlimited: 'beliebig viele',
  keys: 'API-Schlüssel, und wann sie benutzt wurden',
  name: 'Name',
  prefix: 'Beginnt mit',
  scopes: 'Darf',
  used: 'Zuletzt benutzt',
  ends: 'Endet',
  never: 'nie',
  manage: 'Schlüssel verwalten',
  none: 'Keine API-Schlüssel',
  noneText: 'Mit einem Schlüssel sendet und liest ein anderes Programm Rückmeldungen.',
};

export default messages;
