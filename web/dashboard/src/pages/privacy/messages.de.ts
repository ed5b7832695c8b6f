import type en from './messages.en';

const messages: typeof en = {
  title: 'Aufbewahrung und Löschung',
  by: 'Bekannt durch',
  bys: { email: 'eine E-Mail-Adresse', externalId: 'die Nummer, die die Quelle für sie hat' },
  identifier: 'Adresse oder Nummer',
  identifierHint: 'Genau so, wie sie gesendet wurde. Wer beides hat, wird zweimal gefragt.',
  handOut: 'Aushändigen, was von einer Person bekannt ist',
  handOutText:
    'Ein ZIP aller ihrer Rückmeldungen, mit Notizen, Verlauf und angehängten Dateien. Es bleibt sieben Tage.',
  handOutIt: 'Datei erstellen',
  handedOut: 'Die Datei wird erstellt.',
  files: 'Erstellte Dateien',
  asked: 'Verlangt',
  state: 'Zustand',
  feedback: 'Rückmeldungen',
  do: 'Was tun',
  noFiles: 'In den letzten Tagen wurden keine erstellt.',
  erase: 'Eine Person löschen',
  eraseText:
    'Was von ihr bekannt ist, verschwindet endgültig, wo immer es ist: Rückmeldungen, Dateien, Protokolle, von Importen Abgelehntes.',
  mode: 'Was aus ihren Rückmeldungen wird',
  modes: {
    ERASE: 'Sie werden gelöscht',
    ANONYMISE: 'Sie bleiben und zählen, und gehören niemandem mehr',
  },
  eraseIt: 'Löschen',
  eraseTitle: (who) => `${who} löschen?`,
  eraseSure: {
    ERASE:
      'Alle ihre Rückmeldungen werden gelöscht, mit Notizen und angehängten Dateien. Niemand kann das rückgängig machen.',
    ANONYMISE:
      'Name, Adresse und Nummer verschwinden, auch angehängte Dateien; die Texte bleiben. Niemand kann das rückgängig machen.',
  },
  exportsToo:
    'Auch Dateien von Importen und Exporten, die sie nennen oder denen man es nicht ansieht, werden gelöscht.',
  erasures: 'Laufende und letzte Löschungen',
  receipts: 'Quittungen',
  receiptsText:
    'Eine Quittung sagt nicht, wer gelöscht wurde. Um zu zeigen, dass es jemand wurde, löschen Sie noch einmal: Die neue Quittung hat dieselbe Nummer und zählt nichts.',
  when: 'Wann',
  what: 'Was getan wurde',
  done: { ERASE: 'gelöscht', ANONYMISE: 'anonymisiert' },
  identifiedBy: { EMAIL: 'nach Adresse', EXTERNAL_ID: 'nach Nummer' },
  whoDid: 'Verlangt von',
  fileCount: 'Dateien',
  logCount: 'Protokolleinträge',
  hash: 'Nummer der Person',
  noReceipts: 'Niemand wurde gelöscht',
  noReceiptsText: 'Jede Löschung hinterlässt hier eine Quittung.',
  kept: 'Wie lange etwas bleibt',
  keptText:
    'Diese Zeiten gelten auf dem Server für alle Arbeitsbereiche; wer ihn betreibt, stellt die ein, die sich einstellen lassen.',
  thing: 'Was',
  time: 'Wie lange',
  things: {
    feedback: 'Rückmeldungen, mit Notizen und angehängten Dateien',
    exports: 'Dateien von Exporten und über Personen',
    imports: 'Dateien von Importen',
    refused: 'Von Importen abgelehnte Zeilen und was in Quarantäne ist',
    webhooks: 'Was an Webhooks gesendet wurde',
    alerts: 'Alarme',
    jobs: 'Beendete Aufträge',
    audit: 'Das Protokoll',
  },
  times: {
    feedback: 'bis sie gelöscht werden oder ihre Person gelöscht wird',
    exports: '7 Tage',
    imports: '7 Tage',
    refused: '30 Tage',
    webhooks: '30 Tage',
    alerts: '400 Tage, nachdem sie vorbei waren',
    jobs: 'wie der Server eingestellt ist: meist 30 Tage',
    audit: 'wie der Server eingestellt ist: meist 400 Tage',
  },
};

export default messages;
