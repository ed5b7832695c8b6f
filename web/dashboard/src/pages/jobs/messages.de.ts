import { counting } from '../../i18n/catalogue';
import type en from './messages.en';

const count = counting('de');

const messages: typeof en = {
  jobs: 'Aufträge',
  dead: 'Gescheiterte',
  schedules: 'Zeitpläne',
  refresh: 'Aktualisieren',
  status: 'Stand',
  all: 'Alle',
  statuses: {
    QUEUED: 'wartet',
    RUNNING: 'läuft',
    SUCCEEDED: 'erledigt',
    FAILED: 'gescheitert',
    CANCELLED: 'abgebrochen',
  },
  kind: 'Art',
  attempts: 'Versuche',
  failures: 'Fehlschläge',
  error: 'Woran es lag',
  created: 'Verlangt',
  finished: 'Aufgegeben',
  next: 'Nächster Versuch',
  do: 'Aktionen',
  cancel: 'Auftrag abbrechen',
  cancelTitle: (kind) => `${kind} abbrechen?`,
  cancelText: 'Was bisher getan ist, bleibt. Er kann später wiederholt werden.',
  cancelled: 'Der Auftrag ist abgebrochen oder endet binnen einer Sekunde.',
  retry: 'Wiederholen',
  requeue: 'Noch einmal versuchen',
  requeued: 'Er wartet wieder auf einen Arbeiter.',
  chooseAll: 'Alle wählen',
  chooseNone: 'Keine wählen',
  requeueChosen: (chosen) => count(chosen, { one: '# noch einmal versuchen', other: '# noch einmal versuchen' }),
  quarantined: 'in Quarantäne',
  noJobs: 'Keine Aufträge',
  noJobsText: 'Exporte, Importe, Post und Zustellungen geschehen im Hintergrund und stehen hier.',
  noDead: 'Nichts ist gescheitert',
  noDeadText: 'Was endgültig scheitert, steht hier, um es noch einmal zu versuchen.',
  name: 'Name',
  when: 'Wann',
  every: (seconds) => `alle ${seconds} s`,
  missed: 'Verpasste Läufe',
  missedRuns: { EVERY: 'werden alle nachgeholt', ONCE: 'werden einmal nachgeholt', SKIP: 'entfallen' },
  lastRun: 'Zuletzt',
  nextRun: 'Als Nächstes',
  noSchedules: 'Keine Zeitpläne',
  noSchedulesText: 'Was regelmäßig geschehen soll, etwa geplante Exporte, steht hier.',
};

export default messages;
