import { page } from '../../app/page';

export default page({
  path: '/w/:slug/audit',
  access: 'workspace',
  role: 'ADMIN',
  load: () => import('./Audit'),
  navigation: { group: 'admin', order: 60, icon: 'scroll', label: 'audit' },
});
