import { page } from '../../app/page';

export default page({
  path: '/w/:slug',
  access: 'workspace',
  load: () => import('./Overview'),
  navigation: { group: 'workspace', order: 10, icon: 'pulse', label: 'overview' },
});
