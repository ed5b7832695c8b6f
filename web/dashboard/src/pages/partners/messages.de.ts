import type en from './messages.en';

const messages: typeof en = {
  title: 'Partner',
  explore: 'Die API erkunden',
  exploreText: 'GraphiQL hat das ganze Schema mit seinen Beschreibungen, ergänzt, was Sie schreiben, und schickt es.',
  graphiql: 'GraphiQL öffnen',
  recipes: 'Aus einem Programm',
  recipesText: 'Jedes reicht eine Nachricht ein, mit einem Schlüssel aus der Umgebung, der feedback:write darf.',
  copy: 'Programm kopieren',
  sample: 'Der neue Editor macht richtig Freude.',
  tryTitle: 'Einen Schlüssel ausprobieren',
  tryText: 'Der Schlüssel geht nur an diesen Server und wird nirgends aufbewahrt.',
  key: 'API-Schlüssel',
  look: 'Ansehen',
  refused: 'Der Schlüssel wurde abgewiesen.',
  isGood: (name, scopes) => `${name} gilt für: ${scopes}.`,
  left: (remaining, limit, resetAt) => `${remaining} von ${limit} Punkten sind übrig bis ${resetAt}.`,
  send: 'Damit eine Nachricht einreichen',
  sent: 'Sie ist angekommen.',
  keys: 'Schlüssel und Verbrauch',
  manage: 'API-Schlüssel verwalten',
  name: 'Name',
  prefix: 'Beginnt mit',
  scopes: 'Darf',
  used: 'Zuletzt benutzt',
  never: 'nie',
  yours: 'Sie selbst:',
  none: 'Keine Schlüssel zu zeigen',
  noneText: 'Legen Sie für jedes Programm einen an, der genau das darf, was es braucht.',
  askAdmin: 'Verwaltende dieses Arbeitsbereichs legen sie an.',
};

export default messages;
