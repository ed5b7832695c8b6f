import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/jobs',
    access: 'workspace',
    load: () => import('./Jobs'),
    navigation: { group: 'admin', order: 50, icon: 'stack', label: 'jobs' },
  }),
  page({
    path: '/w/:slug/dead-letters',
    access: 'workspace',
    role: 'ADMIN',
    load: () => import('./DeadLetters'),
    navigation: { group: 'admin', order: 51, icon: 'warning', label: 'deadLetters' },
  }),
  page({
    path: '/w/:slug/schedules',
    access: 'workspace',
    role: 'ADMIN',
    load: () => import('./Schedules'),
    navigation: { group: 'admin', order: 52, icon: 'clock', label: 'schedules' },
  }),
];
